"""The shelf: each content once, whole or not at all, as long as somebody holds it."""

import hashlib
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.shelf import Draft, NotOurs, Shelf
from storage import files, people
from storage.models import Message, MessageFile
from storage.session import Storage, upgrade
from tests.cast import CHANNEL, NOVEMBER_18, TEAM

PICTURE = b"\x89PNG\r\n\x1a\n and so on"
HASH = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def storage(sqlite_url: str) -> Iterator[Storage]:
    storage = Storage(sqlite_url)
    yield storage
    storage.close()


@pytest.fixture
def shelf(storage: Storage, tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "files", storage)
    shelf.open()
    return shelf


def show(storage: Storage, *file_ids: str, at: int = 1) -> None:
    """A message with files."""
    with storage.write() as db:
        message = Message(team_id=TEAM, channel_id=CHANNEL, ts=f"{at}.000000", posted_at=NOVEMBER_18)
        db.add(message)
        db.flush()
        db.add_all(MessageFile(team_id=TEAM, message_id=message.id, file_id=file_id) for file_id in file_ids)


def put(shelf: Shelf, file_id: str, content: bytes = PICTURE) -> str:
    draft = shelf.draft()
    draft.write(content)

    def record(db: Session) -> None:
        files.keep(db, TEAM, file_id, sha256=draft.sha256, mimetype="image/png", size=draft.size)

    shelf.put(draft, record)
    return draft.sha256


def erase(storage: Storage, file_id: str) -> None:
    with storage.write() as db:
        files.delete(db, TEAM, file_id, now=NOVEMBER_18)


def lying(shelf: Shelf) -> list[str]:
    """Every file in the folder, by its path below it."""
    found = (path for path in shelf.folder.rglob("*") if path.is_file() and not path.name.startswith((".lock", ".of")))
    return sorted(str(path.relative_to(shelf.folder)) for path in found)


def test_a_content_lies_under_its_hash_where_only_the_bot_may_look(shelf: Shelf, storage: Storage):
    show(storage, "F1")

    sha256 = put(shelf, "F1")

    place = shelf.folder / sha256[:2] / sha256
    assert place.read_bytes() == PICTURE
    assert [stat.S_IMODE(path.stat().st_mode) for path in (shelf.folder, place.parent, place)] == [0o700, 0o700, 0o600]


def test_the_same_content_lies_once_and_stays_until_the_last_one_goes(shelf: Shelf, storage: Storage):
    show(storage, "F1", at=1)
    show(storage, "F2", at=2)
    put(shelf, "F1")
    put(shelf, "F2")
    both = lying(shelf)

    erase(storage, "F1")
    shelf.sweep()
    one = lying(shelf)
    erase(storage, "F2")
    shelf.sweep()
    shelf.sweep()

    assert both == one == [f"{HASH[:2]}/{HASH}"]
    assert lying(shelf) == []


def test_a_file_whose_message_was_deleted_while_it_came_leaves_nothing(shelf: Shelf, storage: Storage):
    show(storage, "F1")
    erase(storage, "F1")

    put(shelf, "F1")

    assert lying(shelf) == []


def test_what_a_crash_left_half_written_or_unclaimed_is_cleared_away_at_start(shelf: Shelf, storage: Storage):
    show(storage, "F1", "F2")
    put(shelf, "F1")
    half = shelf.draft()
    half.write(b"half a pict")
    half.finish()
    whole = shelf.draft()
    whole.write(b"a picture that nobody recorded")
    whole.finish()
    unclaimed = shelf.path(whole.sha256)
    unclaimed.parent.mkdir(exist_ok=True)
    whole.path.rename(unclaimed)

    Shelf(shelf.folder, storage).open()

    assert lying(shelf) == [f"{HASH[:2]}/{HASH}"]


def test_a_record_that_fails_leaves_the_file_wanted_and_the_next_sweep_takes_the_content(
    shelf: Shelf, storage: Storage
):
    show(storage, "F1")
    draft = shelf.draft()
    draft.write(PICTURE)

    def fail(db: Session) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        shelf.put(draft, fail)
    shelf.sweep()

    assert lying(shelf) == []
    with storage.read() as db:
        assert [file.file_id for file in files.wanted(db, TEAM, now=NOVEMBER_18)] == ["F1"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "ab", "", "A" * 64, f"{'a' * 63}/", f"{'a' * 64}\n", "..", "a" * 65]
)
def test_nothing_but_a_hash_is_ever_a_path(shelf: Shelf, name: str):
    with pytest.raises(ValueError, match="made of its hash"):
        shelf.path(name)


def test_sweeping_and_shelving_at_once_lose_nothing_that_is_held(shelf: Shelf, storage: Storage):
    assert lost_in_a_race(shelf, storage) == set()


def test_without_the_lock_the_same_race_loses_what_was_shelved_but_not_recorded(tmp_path: Path, storage: Storage):
    """The twin: it shows that the race above is one."""
    careless = Careless(tmp_path / "careless", storage)
    careless.open()

    assert lost_in_a_race(careless, storage) != set()


class Careless(Shelf):
    """Sweeps without asking whether somebody is shelving."""

    def sweep(self) -> None:
        self._remove(set(self.contents()))


def lost_in_a_race(shelf: Shelf, storage: Storage) -> set[str]:
    """One shelves, and is swept over at the worst moment: its content is in its place, and not recorded yet."""
    show(storage, "F1")
    sweeper = threading.Thread(target=shelf.sweep)
    draft = shelf.draft()
    draft.write(PICTURE)

    def record(db: Session) -> None:
        sweeper.start()
        sweeper.join(
            60 if isinstance(shelf, Careless) else 0.5
        )  # A sweeper that waits for us is let go when we are done.
        files.keep(db, TEAM, "F1", sha256=draft.sha256, mimetype="image/png", size=draft.size)

    shelf.put(draft, record)
    sweeper.join()
    with storage.read() as db:
        held = files.held(db, {HASH})
    return held - set(shelf.contents())


def test_a_draft_on_a_full_disk_is_discarded_without_complaint(shelf: Shelf):
    draft = OnAFullDisk(shelf.folder)

    draft.discard()

    assert lying(shelf) == []


class OnAFullDisk(Draft):
    """Its last bytes are refused when it is closed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._file.close()
        self._file = open("/dev/full", "wb")  # noqa: SIM115, PTH123
        self._file.write(b"what no disk takes")


def test_where_there_is_no_folder_there_is_nothing_to_sweep(storage: Storage, tmp_path: Path):
    Shelf(tmp_path / "nowhere" / "files", storage).sweep()

    assert not (tmp_path / "nowhere").exists()


def sign_in(storage: Storage, mark_key: str) -> None:
    """Let a database be of a workspace."""
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key=mark_key)


def test_another_databases_files_are_never_swept_away(shelf: Shelf, storage: Storage, tmp_path: Path):
    sign_in(storage, "ours")
    shelf.open()
    show(storage, "F1")
    put(shelf, "F1")
    upgrade(f"sqlite:///{tmp_path}/other.db")
    other = Storage(f"sqlite:///{tmp_path}/other.db")
    sign_in(other, "theirs")
    mistaken = Shelf(shelf.folder, other)

    mistaken.sweep()
    with pytest.raises(NotOurs, match="holds the files of another database"):
        mistaken.open()
    shelf.open()

    assert lying(shelf) == [f"{HASH[:2]}/{HASH}"]
    other.close()
