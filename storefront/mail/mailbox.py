"""A folder that takes mail where no server is named: the demo's, for looking at."""

from __future__ import annotations

import email
import os
from email.message import EmailMessage
from email.policy import SMTP, default
from hashlib import sha256
from pathlib import Path
from typing import Self

MOST_KEPT = 200


class Mailbox:
    """Each message is a file, named by its Message-ID: one that comes twice lies there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def reach(self) -> None:
        """Always there."""

    def send(self, message: EmailMessage, sender: str, recipients: list[str]) -> str:
        """Keep the message; the oldest beyond the most that are kept go."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = sha256(str(message["Message-ID"]).encode()).hexdigest()[:16]
        half_written = self._folder / f"{name}.{os.getpid()}"
        half_written.write_bytes(message.as_bytes(policy=SMTP))
        half_written.replace(self._folder / f"{name}.eml")
        for path in self._paths()[MOST_KEPT:]:
            path.unlink(missing_ok=True)
        return f"kept in the mailbox as {name}"

    def list_messages(self) -> list[tuple[str, EmailMessage]]:
        """(name, message), newest first."""
        return [(path.stem, _read(path)) for path in self._paths()]

    def find(self, name: str) -> EmailMessage | None:
        """The message of this name; a name that could lead out of the folder finds nothing."""
        path = self._folder / f"{name}.eml"
        return _read(path) if name.isalnum() and path.is_file() else None

    def _paths(self) -> list[Path]:
        found = [(path.stat().st_mtime_ns, path) for path in self._folder.glob("*.eml")]
        return [path for _when, path in sorted(found, reverse=True)]


def _read(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message
