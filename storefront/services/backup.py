"""A backup: database and pictures in one checked archive, written while the shop sells."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import current_app

from storefront import health
from storefront.extensions import db
from storefront.models.columns import now
from storefront.services import archive, database_copy, settings

MARK = "last_backup"
NAME = re.compile(r"shop-\d{8}T\d{6}Z-[0-9a-f]{6}\.tar\.gz")
SCRATCH = ".shop-backup-"


@dataclass(frozen=True)
class Backup:
    """A finished and checked backup: where it lies, when it began, and what is in it."""

    path: Path
    at: datetime
    rows: dict[str, int]
    pictures: int
    size: int


def default_folder() -> Path:
    """Where backups go when nobody says otherwise."""
    return Path(current_app.config["SHOP_INSTANCE"]) / "backups"


def take(folder: Path, with_secrets: bool = False) -> Backup:
    """Write one archive into `folder` and read it back; only a good one ever gets its name.

    The database is as it was in one moment, and every picture it shows is there: pictures are
    written before the rows that name them. Nobody who sells has to wait. A death in the middle
    leaves nothing but a hidden folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    at = now()
    with archive.scratch(folder, SCRATCH) as scratch:
        copy = scratch / database_copy.file_name()
        rows = database_copy.take(copy)
        database_copy.check(copy, rows)
        files = [(copy.name, copy), *_pictures(), *(_secret_files() if with_secrets else ())]
        unfinished = scratch / "unfinished.tar.gz"
        archive.write(unfinished, files, _about(at, rows))
        told = archive.read(unfinished)
        path = folder / f"shop-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.tar.gz"
        os.replace(unfinished, path)
        archive.sync_folder(folder)
    pictures = sum(name.startswith("media/") for name in told["files"])
    return Backup(path, at, rows, pictures, path.stat().st_size)


def mark(backup: Backup) -> None:
    """Remember the backup, so that `check` can tell how old the last one is."""
    about = {"at": int(backup.at.timestamp()), "path": str(backup.path), "size": backup.size}
    settings.keep(MARK, about)


def rotate(folder: Path, keep: int, newest: Path) -> list[Path]:
    """Remove the oldest of our archives beyond `keep`, never `newest`; return those removed.

    To be called with an archive that has just been checked. What does not bear one of our names is
    left alone.
    """
    ours = [path for path in list_archives(folder) if path != newest]
    removed = ours[max(keep, 1) - 1 :]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def list_archives(folder: Path) -> list[Path]:
    """Our archives in this folder, newest first."""
    found = [path for path in folder.glob("shop-*.tar.gz") if NAME.fullmatch(path.name)]
    return sorted((path for path in found if not path.is_symlink()), reverse=True)


def _about(at: datetime, rows: dict[str, int]) -> dict[str, Any]:
    return {
        "shop": current_app.config["SHOP_URL"],
        "at": at.isoformat(),
        "database": db.engine.dialect.name,
        "revision": health.database_revision(),
        "rows": rows,
    }


def _pictures() -> Iterator[tuple[str, Path]]:
    """Every finished picture: those still being written have names that begin with a dot."""
    folder = Path(current_app.config["MEDIA_FOLDER"])
    for path in sorted(folder.glob("*")):
        name = f"media/{path.name}"
        if archive.OURS.fullmatch(name) and path.is_file() and not path.is_symlink():
            yield name, path


def _secret_files() -> Iterator[tuple[str, Path]]:
    instance = Path(current_app.config["SHOP_INSTANCE"])
    for path in (instance / "secrets", Path(".env")):
        if path.is_file():
            yield f"secrets/{path.name.lstrip('.')}", path
