"""The shelf: a folder beside the database that holds the bytes of files, each content once, under its hash.

A file that appears under its name is whole: it is written elsewhere, forced to the disk and then renamed. Whether
anybody still wants a content the database says; it is asked while nobody else puts anything on the shelf.
"""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.orm import Session

from storage import files, people
from storage.session import Storage

HASH = re.compile(r"[0-9a-f]{64}")
UNDER_WAY = ".part-"
"""How the names of files begin that are not whole yet."""
SIGNATURE = ".of"
"""Which database the folder belongs to."""
HEAD_BYTES = 512


class NotOurs(Exception):
    """The folder holds the files of another database."""


class Draft:
    """A file that is being written; its hash and its first bytes are known as it grows."""

    def __init__(self, folder: Path) -> None:
        number, name = tempfile.mkstemp(prefix=UNDER_WAY, dir=folder)
        self.path = Path(name)
        self.size = 0
        self.head = b""
        self._file = os.fdopen(number, "wb")
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)
        self.head = (self.head + chunk[:HEAD_BYTES])[:HEAD_BYTES]

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def finish(self) -> None:
        """Force it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        """Leave nothing of it; after it was shelved there is nothing left to discard."""
        with suppress(OSError):  # A full disk refuses what is still to be written.
            self._file.close()
        self.path.unlink(missing_ok=True)


class Shelf:
    """The folder, and the database that says which contents are held."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self.folder = folder
        self._storage = storage

    def open(self) -> None:
        """Make the folder, and clear away what a crash left half written or unclaimed; raises OSError, NotOurs."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        if not self._is_ours():
            raise NotOurs(f"{self.folder} holds the files of another database")
        self._sign()
        for half in self.folder.glob(f"{UNDER_WAY}*"):
            half.unlink(missing_ok=True)
        self.sweep()

    def draft(self) -> Draft:
        """Begin a file; raises OSError."""
        return Draft(self.folder)

    def put(self, draft: Draft, record: Callable[[Session], None]) -> None:
        """Shelve a draft, then have the database record it; where nobody wants it any more, it goes again."""
        draft.finish()
        self.folder.mkdir(exist_ok=True, mode=0o700)
        with self._alone():
            place = self.path(draft.sha256)
            _make(place.parent)
            draft.path.rename(place)
            _force(place.parent)
            with self._storage.write() as db:
                record(db)
            self._remove({draft.sha256})

    def path(self, sha256: str) -> Path:
        """Where a content lies: `files/ab/abcdef…`."""
        if not HASH.fullmatch(sha256):
            message = "a file's place is made of its hash, and of nothing else"
            raise ValueError(message)
        return self.folder / sha256[:2] / sha256

    def sweep(self) -> None:
        """Take off the disk what no message holds any more; after the commit that let go of it, never before."""
        if self.folder.is_dir() and self._is_ours():
            with self._alone():
                self._remove(set(self.contents()))

    def _is_ours(self) -> bool:
        """What a database does not know it would take for unheld: each has a folder of its own."""
        signed = self.folder / SIGNATURE
        return not signed.exists() or signed.read_text() in self._signatures()

    def _sign(self) -> None:
        signed, ours = self.folder / SIGNATURE, self._signatures()
        if ours and not signed.exists():
            signed.write_text(ours[0])

    def _signatures(self) -> list[str]:
        with self._storage.read() as db:
            keys = [space.mark_key for space in people.workspaces(db)]
        return [hashlib.sha256(f"files of {key}".encode()).hexdigest() for key in keys]

    def contents(self) -> Iterator[str]:
        """The hashes of everything that lies here."""
        for shelf in self.folder.glob("[0-9a-f][0-9a-f]"):
            yield from (path.name for path in shelf.iterdir() if HASH.fullmatch(path.name))

    def _remove(self, hashes: set[str]) -> None:
        with self._storage.read() as db:
            unheld = hashes - files.held(db, hashes)
        for sha256 in unheld:
            self.path(sha256).unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """In this and every other process: what is shelved and not recorded yet is not swept away."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make(folder: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        _force(folder.parent)


def _force(folder: Path) -> None:
    """Force a folder's own entries to the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
