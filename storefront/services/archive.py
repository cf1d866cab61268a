"""The file a backup is: one tar.gz of plain files, and at its end a manifest that names them all.

Nothing of an archive is believed before all of it has been read: every file must be one that we
write, in the manifest, of its size and sum. Links, folders, odd names and extra files are refused.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from storefront.errors import InvalidInput
from storefront.i18n import gettext as _

FORMAT = 1
MANIFEST = "manifest.json"
MAX_MANIFEST = 64 * 1024 * 1024
CHUNK = 1024 * 1024
STALE_SECONDS = 24 * 3600
# database.*, media/<file> and secrets/<file>; no name begins with a dot or holds another slash.
OURS = re.compile(r"(database\.(sqlite|pgdump)|(media|secrets)/[A-Za-z0-9_][A-Za-z0-9._-]{0,98})")
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, ValueError, RecursionError)


class BadArchive(InvalidInput):
    """The file is no backup of ours, or not as it was written."""


class Counting:
    """A file being read, with the sum and the size of what went through."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sum, self.size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sum.update(data)
        self.size += len(data)
        return data

    def about(self) -> dict[str, Any]:
        """What the manifest says of this file."""
        return {"size": self.size, "sha256": self._sum.hexdigest()}


def write(path: Path, files: Iterable[tuple[str, Path]], told: dict[str, Any]) -> None:
    """Write an archive of these files (name in it, where it lies) that only its owner may read.

    It is on the disk when this returns. A picture that was deleted meanwhile is left out.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with (
            gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
            # USTAR: the plainest form, so that any tool opens it.
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
        ):
            contents = {name: _add(tar, name, file) for name, file in files if file.exists()}
            manifest = {"format": FORMAT} | told | {"files": contents}
            _add_manifest(tar, json.dumps(manifest, indent=1).encode())
        raw.flush()
        os.fsync(raw.fileno())


def _add(tar: tarfile.TarFile, name: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        counting = Counting(file)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
        tar.addfile(entry, counting)
    return counting.about()


def _add_manifest(tar: tarfile.TarFile, content: bytes) -> None:
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, BytesIO(content))


def read(path: Path, into: Path | None = None) -> dict[str, Any]:
    """Read an archive to its end and return its manifest; with `into`, put its files there.

    Raises BadArchive for anything but an archive of ours as it was written, byte for byte. What
    lies in `into` then is not to be used.
    """
    try:
        found, manifest = _read_all(path, into)
        told: dict[str, Any] = json.loads(manifest)
        listed = told["files"]
    except (*BROKEN, KeyError, TypeError) as error:
        raise BadArchive(
            _("%(file)s is damaged, or no backup of this shop.", file=path.name)
        ) from error
    if told.get("format") != FORMAT:
        raise BadArchive(_("%(file)s was written by a newer version.", file=path.name))
    if listed != found:
        raise BadArchive(_("%(file)s holds other files than it should.", file=path.name))
    return told


def _read_all(path: Path, into: Path | None) -> tuple[dict[str, Any], bytes]:
    found: dict[str, Any] = {}
    manifest = b""
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw, mode="rb") as packed:
        with tarfile.open(fileobj=packed, mode="r|") as tar:
            for entry, content in _entries(tar):
                if manifest or entry.name in found:
                    raise ValueError("more than the manifest promises")
                if entry.name == MANIFEST:
                    manifest = content.read(MAX_MANIFEST)
                else:
                    found[entry.name] = _take(entry.name, content, into)
        while packed.read(CHUNK):  # to the very end, where gzip keeps its own sum
            pass
    return found, manifest


def _entries(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for entry in tar:
        named = entry.name == MANIFEST or OURS.fullmatch(entry.name)
        content = tar.extractfile(entry) if entry.isreg() and named else None
        if content is None:
            raise ValueError("not a file of ours")
        yield entry, content


def _take(name: str, content: IO[bytes], into: Path | None) -> dict[str, Any]:
    counting = Counting(content)
    if into is None:
        while counting.read(CHUNK):
            pass
        return counting.about()
    (into / name).parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(into / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(counting, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
    return counting.about()


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk: a rename is safe only then."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def scratch(beside: Path, prefix: str) -> Iterator[Path]:
    """A folder for unfinished things on the disk of `beside`; gone afterwards.

    Those of runs that were killed are removed when they are a day old.
    """
    for old in beside.glob(f"{prefix}*"):
        if old.is_dir() and time.time() - old.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=beside, prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
