"""Reads Slack's own export, a zip or a folder, where it lies: nothing is extracted, nothing is written."""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

LARGEST_FILE = 512 * 1024 * 1024  # bytes, unpacked; a day of the busiest channel has a few million
PRIVATE_LISTS = ("groups.json", "mpims.json", "dms.json")
PUBLIC_LISTS = ("channels.json",)
LISTS = (*PRIVATE_LISTS, *PUBLIC_LISTS)  # a channel found in both was made private, and stays so
PEOPLE_LISTS = ("users.json", "org_users.json")
SLACKBOT = "USLACKBOT"  # Slack says of it that it is no bot
GUEST_MARKS = ("is_restricted", "is_ultra_restricted", "is_stranger")

DAY_FILE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.json")
TS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")


# What is in the way -----------------------------------------------------------------


class Unreadable(Exception):
    """Something a person can mend; `str()` is the sentence they read."""


class NotAnExport(Unreadable):
    """The path leads to something else than a Slack export."""

    def __init__(self, path: Path, why: str) -> None:
        """`why` completes the sentence "this is not a Slack export: …"."""
        super().__init__(
            f"“{path}” is not a Slack export: {why}. "
            "Name the zip file as Slack sent it, or the folder that holds its channels.json.",
        )
        self.path = path
        self.why = why


class ChannelNotInExport(Unreadable):
    """No channel of that name or id; `nearest` holds up to three names, best first."""

    def __init__(self, name: str, nearest: tuple[str, ...]) -> None:
        """A private channel is missing from most exports, which is said when no name is near."""
        super().__init__(f"There is no channel “{name}” in this export. {_instead(nearest)}")
        self.name = name
        self.nearest = nearest


class BrokenFile(Unreadable):
    """A file of the export cannot be read; `file` is its name inside the export."""

    def __init__(self, file: str, why: str) -> None:
        """`why` completes the sentence "the file cannot be read: …"."""
        super().__init__(
            f"“{file}” in this export cannot be read: {why}. Nothing was taken from it. "
            "Download the export again, or mend this file, then try once more.",
        )
        self.file = file
        self.why = why


def _instead(nearest: tuple[str, ...]) -> str:
    if len(nearest) == 1:
        return f"The nearest is {nearest[0]}. Choose it, or write the name as Slack shows it."
    if nearest:
        return f"The nearest are {', '.join(nearest)}. Choose one of them, or write the name as Slack shows it."
    return "Write the name as Slack shows it. Private channels are only in exports that were asked for with them."


# What is in it ----------------------------------------------------------------------


@dataclass(frozen=True)
class ExportedChannel:
    """A channel as listed; a direct conversation has its id for a name, a channel without an id its name for an id."""

    id: str
    name: str
    private: bool
    created: datetime | None
    members: tuple[str, ...]


@dataclass(frozen=True)
class ExportedPerson:
    """A person or a program as listed; `tz` is an IANA zone, and null where the export is silent."""

    user_id: str
    name: str
    real_name: str
    tz: str | None
    is_bot: bool
    deleted: bool
    email: str | None
    guest: bool = False
    team: str = ""


def read(path: str | Path) -> Export:
    """Open an export; raises NotAnExport, or BrokenFile when its list of channels cannot be read."""
    path = Path(path)
    files = _open(path)
    home = _home(path, files)
    return Export(files, home, _channels(files, home))


class Export:
    """One export, open for reading."""

    def __init__(self, files: _Files, home: str, channels: tuple[ExportedChannel, ...]) -> None:
        """Made by `read`; `home` is the folder inside the files that holds the lists."""
        self._files = files
        self._home = home
        self._channels = channels

    def channel(self, name: str) -> ExportedChannel:
        """By name, with or without #, or by id; raises ChannelNotInExport."""
        wanted = _folded(name.strip().removeprefix("#"))
        for channel in self._channels:
            if wanted in {_folded(channel.name), _folded(channel.id)}:
                return channel
        raise ChannelNotInExport(name, self._nearest(wanted))

    def people(self) -> Iterator[ExportedPerson]:
        """Everybody the export lists, each id once; nobody when it has no list. Raises BrokenFile."""
        listed: dict[str, ExportedPerson] = {}
        for file in PEOPLE_LISTS:
            for person in map(_person, _listed(self._files, self._home, file)):
                listed.setdefault(person.user_id, person)
        listed.pop("", None)
        return iter(listed.values())

    def messages(self, channel: ExportedChannel) -> Iterator[dict[str, Any]]:
        """The channel's messages as Slack wrote them, by ts, each ts once.

        Every day file is read before the first message is given: BrokenFile is raised by this call.
        """
        return iter(self._all(channel))

    def count(self, channel: ExportedChannel) -> int:
        """How many `messages` gives; reads every day file, and raises BrokenFile."""
        return len(self._all(channel))

    def _all(self, channel: ExportedChannel) -> list[dict[str, Any]]:
        by_ts: dict[str, dict[str, Any]] = {}
        for file in self._day_files(channel):
            for message in _objects(self._files, file):
                if _has_ts(message):
                    by_ts.setdefault(message["ts"], message)
        return sorted(by_ts.values(), key=_moment)

    def _day_files(self, channel: ExportedChannel) -> list[str]:
        """Names come from what is there, never from what a list claims: no way leads out of the export."""
        folders = {_composed(folder): folder for folder in self._files.folders(self._home)}
        found = next((folders[name] for name in _folder_names(channel) if name in folders), None)
        if found is None:
            return []
        folder = _joined(self._home, found)
        return [_joined(folder, name) for name in sorted(self._files.files(folder)) if DAY_FILE.fullmatch(name)]

    def _nearest(self, wanted: str) -> tuple[str, ...]:
        names = {_folded(channel.name): channel.name for channel in self._channels}
        close = get_close_matches(wanted, names, n=3, cutoff=0.5)
        holding = [name for name in names if wanted and wanted in name and name not in close]
        return tuple(names[name] for name in [*close, *holding][:3])


def _folder_names(channel: ExportedChannel) -> tuple[str, str]:
    return _composed(channel.name), _composed(channel.id)


def _has_ts(message: dict[str, Any]) -> bool:
    ts = message.get("ts")
    return isinstance(ts, str) and TS.fullmatch(ts) is not None


def _moment(message: dict[str, Any]) -> tuple[int, str]:
    seconds, _, fraction = message["ts"].partition(".")
    return int(seconds), fraction.ljust(9, "0")


# The lists --------------------------------------------------------------------------


def _channels(files: _Files, home: str) -> tuple[ExportedChannel, ...]:
    listed = [(item, name in PRIVATE_LISTS) for name in LISTS for item in _listed(files, home, name)]
    channels = (_channel(item, "private" if private else "public") for item, private in listed)
    return tuple(channel for channel in channels if channel.id)


def _channel(item: dict[str, Any], kind: str) -> ExportedChannel:
    channel_id, name = _text(item, "id"), _text(item, "name")
    return ExportedChannel(
        id=channel_id or name,
        name=name or channel_id,
        private=kind == "private" or item.get("is_private") is True,
        created=_date(item.get("created")),
        members=_strings(item.get("members")),
    )


def _person(item: dict[str, Any]) -> ExportedPerson:
    profile = item.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    user_id = _text(item, "id")
    name = _text(item, "name") or _text(profile, "display_name") or user_id
    return ExportedPerson(
        user_id=user_id,
        name=name,
        real_name=_text(profile, "real_name") or _text(item, "real_name") or name,
        tz=_text(item, "tz") or None,
        is_bot=item.get("is_bot") is True or user_id == SLACKBOT,
        deleted=item.get("deleted") is True,
        email=_text(profile, "email") or None,
        guest=any(item.get(mark) is True for mark in GUEST_MARKS),
        team=_text(item, "team_id"),
    )


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _date(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if isinstance(seconds, int | float | str) and seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _listed(files: _Files, home: str, name: str) -> list[dict[str, Any]]:
    return _objects(files, _joined(home, name)) if name in files.files(home) else []


def _objects(files: _Files, file: str) -> list[dict[str, Any]]:
    """The objects of a JSON list; an empty file is an empty list."""
    value = _json(file, files.read(file))
    if not isinstance(value, list):
        raise BrokenFile(file, "it should hold a list and holds something else")
    return [item for item in value if isinstance(item, dict)]


def _json(file: str, content: bytes) -> object:
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if text.strip() else []
    except json.JSONDecodeError as error:
        raise BrokenFile(file, f"line {error.lineno}, column {error.colno} is not JSON") from error
    except UnicodeDecodeError as error:
        raise BrokenFile(file, f"byte {error.start} is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise BrokenFile(file, "its JSON is not of a shape that Slack writes") from error


# The files --------------------------------------------------------------------------


class _Files(Protocol):
    """Names inside the export; "" is its top, "/" goes between."""

    def folders(self, inside: str) -> Iterable[str]: ...

    def files(self, inside: str) -> Iterable[str]: ...

    def read(self, file: str) -> bytes: ...


def _open(path: Path) -> _Files:
    try:
        if path.is_dir():
            return _Folder(path)
        return _Zip(path)
    except FileNotFoundError as error:
        raise NotAnExport(path, "there is no such file or folder") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NotAnExport(path, "it is neither a folder nor a zip file that opens") from error
    except OSError as error:
        raise NotAnExport(path, "this account cannot open it") from error


def _home(path: Path, files: _Files) -> str:
    """The top, or the single folder at the top that holds the lists: people zip the folder they unpacked."""
    if _holds_lists(files, ""):
        return ""
    homes = sorted(folder for folder in files.folders("") if _holds_lists(files, folder))
    if not homes:
        raise NotAnExport(path, "there is no channels.json in it")
    if len(homes) > 1:
        raise NotAnExport(path, f"it holds several of them, {', '.join(homes)}")
    return homes[0]


def _holds_lists(files: _Files, folder: str) -> bool:
    return not set(LISTS).isdisjoint(files.files(folder))


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def folders(self, inside: str) -> list[str]:
        return [entry.name for entry in self._entries(inside) if entry.is_dir()]

    def files(self, inside: str) -> list[str]:
        return [entry.name for entry in self._entries(inside) if entry.is_file()]

    def _entries(self, inside: str) -> list[Path]:
        try:
            return [entry for entry in (self._path / inside).iterdir() if _kept(entry.name)]
        except OSError as error:
            raise BrokenFile(inside or str(self._path), "this account cannot open it") from error

    def read(self, file: str) -> bytes:
        path = self._path / file
        try:
            _refuse_larger(file, path.stat().st_size)
            return path.read_bytes()
        except OSError as error:
            raise BrokenFile(file, "this account cannot open it") from error


class _Zip:
    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self._tree: dict[str, dict[str, zipfile.ZipInfo | None]] = {"": {}}
        for info in self._zip.infolist():
            self._place(info)

    def folders(self, inside: str) -> list[str]:
        return [name for name, info in self._tree.get(inside, {}).items() if info is None]

    def files(self, inside: str) -> list[str]:
        return [name for name, info in self._tree.get(inside, {}).items() if info is not None]

    def read(self, file: str) -> bytes:
        folder, _, name = file.rpartition("/")
        info = self._tree[folder][name]
        assert info is not None, "only what files() gave is read"  # noqa: S101 - says what the type cannot
        _refuse_larger(file, info.file_size)
        return self._unpacked(file, info)

    def _place(self, info: zipfile.ZipInfo) -> None:
        """Windows tools write backslashes, macOS tools add a second tree of notes about each file."""
        parts = [part for part in _named(info).replace("\\", "/").split("/") if part not in {"", "."}]
        if not parts or not all(map(_kept, parts)):
            return
        for depth in range(1, len(parts)):
            self._tree.setdefault("/".join(parts[: depth - 1]), {})[parts[depth - 1]] = None
            self._tree.setdefault("/".join(parts[:depth]), {})
        if not _named(info).endswith(("/", "\\")):
            self._tree["/".join(parts[:-1])][parts[-1]] = info

    def _unpacked(self, file: str, info: zipfile.ZipInfo) -> bytes:
        try:
            with self._zip.open(info) as packed:
                return packed.read(LARGEST_FILE + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise BrokenFile(file, "it is damaged inside the zip") from error
        except RuntimeError as error:
            raise BrokenFile(
                file, "it is locked with a password, or packed in a way this program cannot undo"
            ) from error


def _named(info: zipfile.ZipInfo) -> str:
    """Some tools write UTF-8 names without saying so; the zip library then reads them as code page 437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _refuse_larger(file: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise BrokenFile(
            file, f"it would unpack to {size // 2**20} MB, and {LARGEST_FILE // 2**20} MB is the most I read"
        )


def _kept(name: str) -> bool:
    return name != "__MACOSX" and not name.startswith(".")


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _composed(name: str) -> str:
    """One character for é, as Slack writes it; macOS makes two of it in file names."""
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(name).casefold()
