"""Sealed answers: encrypted with a key that no database holds, so that neither it nor a backup of it tells one."""

import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

FILE = "seal.key"
SIZE = 8192
"""Bytes that every answer is filled up to: the length of a box tells nothing. The longest one, in any script, fits."""
SHORTEST_KEY = 16


class SealBroken(Exception):
    """A box that this key does not open."""


class KeyUnusable(Exception):
    """One sentence: why the file of the key is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered in private; `user` where they signed it."""

    text: str
    user: str | None = None


class Seal:
    """Closes and opens boxes with one key."""

    def __init__(self, key: bytes) -> None:
        self._box = SecretBox(_derived(key, b"debrief box"))
        self._marks = _derived(key, b"debrief mark")

    def close(self, answer: Answer) -> str:
        """A box: no two are alike, and all are of one size."""
        words = json.dumps([answer.text, answer.user], ensure_ascii=False).encode("utf-8", "replace")
        return b64encode(self._box.encrypt(words.ljust(SIZE))).decode()

    def open(self, box: str) -> Answer:
        """Raises SealBroken."""
        try:
            text, user = json.loads(self._box.decrypt(b64decode(box)))
        except (CryptoError, ValueError) as error:
            raise SealBroken from error
        return Answer(text, user)

    def mark(self, review: int, user: str) -> str:
        """That somebody answered, as nobody without the key can tell."""
        return hmac.digest(self._marks, f"{review}:{user}".encode(), "sha256").hex()


def _derived(key: bytes, use: bytes) -> bytes:
    return blake2b(key, digest_size=SecretBox.KEY_SIZE, person=use).digest()


def kept_in(folder: Path) -> Seal:
    """The seal whose key lies in this folder, for its owner alone; made where there is none. Raises KeyUnusable."""
    file = folder / FILE
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(file)
        key = file.read_bytes().strip()
    except OSError as error:
        raise KeyUnusable(f"{file} cannot be kept ({error.strerror})") from error
    if len(key) < SHORTEST_KEY:
        raise KeyUnusable(f"{file} holds no key")
    return Seal(key)


def _make(file: Path) -> None:
    """Whole or not at all; of two programs that make one at once, both go on with the first."""
    draft = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as key:
            key.write(secrets.token_urlsafe(32))
            key.flush()
            os.fsync(key.fileno())
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
