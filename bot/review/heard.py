"""What Slack says, as facts: messages, reactions, memberships, channels and people, each with its natural key.

A fact is true whenever it arrives; two facts about one thing merge to the same whatever their order. What is not
shaped as Slack shapes it is no fact, and is passed over without complaint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from bot.review import pasted, secrets

Json = Mapping[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TS = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?")
ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
SUBTYPE = re.compile(r"[a-z0-9_]{1,60}")
EMOJI = re.compile(r"[^\s:\x00-\x1f\ud800-\udfff]{1,120}")
FRACTION = 9
"""Digits after the point; Slack writes six."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """One wording of a message; `edited_ts` is empty for the first one."""

    edited_ts: str = ""
    text: str = ""
    blocks: list[Any] | None = None
    attachments: list[Any] | None = None
    redactions: tuple[secrets.Redaction, ...] = ()
    """What was taken out of these words before they became a fact."""

    @property
    def rank(self) -> tuple[Any, ...]:
        """Of two wordings the higher is kept: the later edit, or of one the fuller: Slack adds previews later."""
        parts = (self.attachments, self.blocks, self.redactions)
        return (in_order(self.edited_ts), self.text, *(one for part in parts for one in _weight(part)))


def _weight(parts: Sequence[Any] | None) -> tuple[int, str]:
    return len(parts or ()), json.dumps(parts, sort_keys=True, default=str)


@dataclass(frozen=True, kw_only=True)
class FileFact:
    """What is said of a file; its bytes are not part of it."""

    file_id: str
    name: str = ""
    mimetype: str = ""
    size: int = 0
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileGoneFact:
    """Somebody deleted a file, wherever it was shown."""

    file_id: str


@dataclass(frozen=True, kw_only=True)
class MessageFact:
    """Something Slack said of one message: its wording, or that it is gone."""

    channel: str
    ts: str
    how: Literal["posted", "changed", "deleted"]
    thread_ts: str | None = None
    user: str | None = None
    bot_id: str | None = None
    bot_name: str | None = None
    subtype: str | None = None
    content: Content | None = None
    deleted_at: datetime | None = None
    files: tuple[FileFact, ...] = ()
    hidden: frozenset[str] = frozenset()
    """The kinds of secrets that were taken out of it, in whatever part they stood."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by within a workspace."""
        return self.channel, self.ts


@dataclass(frozen=True, kw_only=True)
class ReactionFact:
    """One person's emoji on one message, put there or taken away at Slack's `changed_ts`; skin tones are left out."""

    channel: str
    ts: str
    user: str
    name: str
    changed_ts: str
    held: bool

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by within a workspace."""
        return self.channel, self.ts, self.user, self.name

    @property
    def rank(self) -> tuple[tuple[int, int], bool]:
        """Of two facts about one emoji the later is kept; of one moment, the taking away."""
        return in_order(self.changed_ts), not self.held


@dataclass(frozen=True, kw_only=True)
class MembershipFact:
    """Somebody came into a channel or left it."""

    channel: str
    user: str
    how: Literal["joined", "left"]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ChannelFact:
    """What is new of a channel; None where nothing was said about it."""

    channel: str
    at: datetime
    name: str | None = None
    creator: str | None = None
    created_at: datetime | None = None
    how: Literal["created", "renamed", "archived", "unarchived", "made_private", "moved", "left"]
    """`left`: it was us who left."""
    moved_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class PersonFact:
    """What a profile says."""

    user_id: str
    name: str
    zone: str
    email: str | None
    is_bot: bool
    deleted: bool
    restricted: bool = False
    """A guest, or somebody Slack calls a stranger."""
    teams: tuple[str, ...] = ()
    """The workspaces they are of; empty where Slack does not say."""

    def is_guest_of(self, team: str) -> bool:
        """Whether this workspace shows them only the channels they are in."""
        return self.restricted or (bool(self.teams) and team not in self.teams)


Fact = MessageFact | ReactionFact | MembershipFact | ChannelFact | PersonFact | FileGoneFact


def in_order(ts: str) -> tuple[int, int]:
    """A key by which Slack's times sort; the empty one comes first."""
    seconds, _, fraction = (ts or "0").partition(".")
    return int(seconds), int(fraction.ljust(FRACTION, "0") or 0)


def moment_of(ts: str) -> datetime:
    """Slack's time as a moment, exact to the microsecond."""
    seconds, nanoseconds = in_order(ts)
    return EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1_000)


def emoji_name(name: str) -> str:
    """`+1::skin-tone-2` → `+1`."""
    return name.strip(":").split("::")[0]


# Events ------------------------------------------------------------------------------------


def read_event(event: object) -> list[Fact]:
    """The facts in the `event` of a delivery; most kinds of event have none."""
    said = _object(event)
    read = EVENTS.get(_word(said, "type"))
    return list(read(said)) if read else []


def _message(event: Json) -> Iterator[Fact]:
    channel, subtype = _id(event, "channel"), _word(event, "subtype")
    if not channel or subtype == "message_replied":
        return
    if subtype == "channel_convert_to_private":
        yield from _made_private(event)
    if subtype in {"channel_name", "group_name"}:
        yield from _renamed({"channel": {"id": channel, "name": event.get("name")}, "event_ts": _event_ts(event)})
    if subtype == "message_changed":
        yield from _maybe(_changed(event, channel))
    elif subtype == "message_deleted":
        yield from _maybe(_deleted(event, channel))
    else:
        yield from _maybe(read_message(event, channel))


def _changed(event: Json, channel: str) -> MessageFact | None:
    message, before = _object(event.get("message")), _object(event.get("previous_message"))
    if _word(message, "subtype") == "tombstone":
        return _gone(before, channel, _ts(message, "ts"), _event_ts(event))
    edited_ts = _ts(_object(message.get("edited")), "ts") or ""
    if before and not edited_ts and _word(before, "text") != _word(message, "text"):
        # A program may replace its words without a mark of the edit; then the event's own time is the edit's.
        edited_ts = _event_ts(event) or ""
    return _posted(message, channel, edited_ts, "changed")


def _deleted(event: Json, channel: str) -> MessageFact | None:
    before = _object(event.get("previous_message"))
    return _gone(before, channel, _ts(event, "deleted_ts") or _ts(before, "ts"), _event_ts(event))


def _gone(before: Json, channel: str, ts: str | None, event_ts: str | None) -> MessageFact | None:
    if not ts:
        return None
    deleted_at = max(moment_of(event_ts or ts), moment_of(ts))
    if _word(before, "subtype") == "tombstone":
        before = {}
    return MessageFact(channel=channel, ts=ts, how="deleted", deleted_at=deleted_at, **_whose(before, ts))


def read_message(message: object, channel: str) -> MessageFact | None:
    """A message as history, an export or a fresh event shows it; None where it is none."""
    said = _object(message)
    if _word(said, "subtype") == "tombstone":
        return _gone({"thread_ts": said.get("thread_ts")}, channel, _ts(said, "ts"), None)
    return _posted(said, channel, _ts(_object(said.get("edited")), "ts") or "", "posted")


def _posted(message: Json, channel: str, edited_ts: str, how: Literal["posted", "changed"]) -> MessageFact | None:
    ts = _ts(message, "ts")
    if not ts or not ID.fullmatch(channel):
        return None
    parts = pasted.in_message(_word(message, "text"), _list(message, "blocks"), _list(message, "attachments"))
    content = Content(
        edited_ts=edited_ts,
        text=parts.text,
        blocks=parts.blocks,
        attachments=parts.attachments,
        redactions=parts.redactions,
    )
    whose, files = _whose(message, ts), tuple(_files(message))
    names = (_bot_name(message), *(_file_name(_object(file)) for file in _list(message, "files") or ()))
    hidden = frozenset({*(one["kind"] for one in parts.redactions), *_kinds(names)})
    return MessageFact(channel=channel, ts=ts, how=how, content=content, files=files, hidden=hidden, **whose)


def _kinds(names: Iterable[str]) -> Iterator[str]:
    return (secret.kind for name in names for secret in secrets.find(name))


def _whose(message: Json, ts: str) -> dict[str, Any]:
    """A thread's first message is not in the thread: Slack says so only once it has replies."""
    thread = _ts(message, "thread_ts")
    subtype = _word(message, "subtype")
    return {
        "thread_ts": thread if thread != ts else None,
        "user": _id(message, "user"),
        "bot_id": _id(message, "bot_id"),
        "bot_name": secrets.replace(_bot_name(message))[0] or None,
        "subtype": subtype if SUBTYPE.fullmatch(subtype) else None,
    }


def _bot_name(message: Json) -> str:
    return _word(message, "username") or _word(_object(message.get("bot_profile")), "name")


def _files(message: Json) -> Iterator[FileFact]:
    for file in _list(message, "files") or ():
        fact = read_file(file)
        if fact:
            yield fact


def read_file(file: object) -> FileFact | None:
    """A file as a message shows it or as Slack describes it; None where it is none. Its bytes are fetched later."""
    said = _object(file)
    file_id, size = _id(said, "id"), said.get("size")
    if not file_id:
        return None
    return FileFact(
        file_id=file_id,
        name=secrets.replace(_file_name(said))[0],
        mimetype=_word(said, "mimetype"),
        size=size if isinstance(size, int) and 0 <= size < 2**63 else 0,
        # An export's addresses carry a token of their own behind the question mark.
        url=_address(_word(said, "url_private").partition("?")[0], _file_name(said)),
    )


def _file_name(file: Json) -> str:
    return _word(file, "name") or _word(file, "title")


def _address(url: str, name: str) -> str | None:
    """Slack spells the name in the address, too: where that holds a secret, nothing of it is kept."""
    return None if not url or secrets.find(name) or secrets.find(url) else url


def _file_gone(event: Json) -> Iterator[Fact]:
    file_id = _id(event, "file_id")
    if file_id:
        yield FileGoneFact(file_id=file_id)


def read_reactions(message: object, channel: str) -> list[ReactionFact]:
    """The emoji that history shows on a message. When they came it does not say: any word heard live is newer."""
    said = _object(message)
    ts = _ts(said, "ts")
    if not ts or not ID.fullmatch(channel):
        return []
    return [
        ReactionFact(channel=channel, ts=ts, user=user, name=name, changed_ts=ts, held=True)
        for reaction in map(_object, _list(said, "reactions") or ())
        if EMOJI.fullmatch(name := emoji_name(_word(reaction, "name")))
        for user in _list(reaction, "users") or ()
        if isinstance(user, str) and ID.fullmatch(user)
    ]


def _reaction(event: Json) -> Iterator[Fact]:
    item = _object(event.get("item"))
    channel, ts = _id(item, "channel"), _ts(item, "ts")
    user, name, changed_ts = _id(event, "user"), emoji_name(_word(event, "reaction")), _event_ts(event)
    if channel and ts and user and changed_ts and EMOJI.fullmatch(name):
        held = _word(event, "type") == "reaction_added"
        yield ReactionFact(channel=channel, ts=ts, user=user, name=name, changed_ts=changed_ts, held=held)


def _membership(event: Json) -> Iterator[Fact]:
    channel, user, event_ts = _id(event, "channel"), _id(event, "user"), _event_ts(event)
    if channel and user and event_ts:
        how = "joined" if _word(event, "type") == "member_joined_channel" else "left"
        yield MembershipFact(channel=channel, user=user, how=how, at=moment_of(event_ts))


def _created(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "created")


def _renamed(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "renamed")


def _archived(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "archived")


def _unarchived(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "unarchived")


def _we_left(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "left")


def _made_private(event: Json) -> Iterator[Fact]:
    yield from _of_channel(event, "made_private")


def _of_channel(
    event: Json, how: Literal["created", "renamed", "archived", "unarchived", "made_private", "left"]
) -> Iterator[Fact]:
    """`channel` is an object where there is something to tell of it, else an id."""
    about = _object(event.get("channel"))
    channel, event_ts = _id(about, "id") or _id(event, "channel"), _event_ts(event)
    if channel and event_ts:
        yield ChannelFact(
            channel=channel,
            at=moment_of(event_ts),
            name=_word(about, "name") or None,
            creator=_id(about, "creator"),
            created_at=_seconds(about.get("created")),
            how=how,
        )


def _moved(event: Json) -> Iterator[Fact]:
    old, new, event_ts = _id(event, "old_channel_id"), _id(event, "new_channel_id"), _event_ts(event)
    if old and new and old != new and event_ts:
        yield ChannelFact(channel=old, at=moment_of(event_ts), how="moved", moved_to=new)


def _person(event: Json) -> Iterator[Fact]:
    yield from _maybe(read_person(event.get("user")))


def read_person(person: object) -> PersonFact | None:
    """A user as Slack describes one; None where it is none."""
    said = _object(person)
    profile, user = _object(said.get("profile")), _id(said, "id")
    names = (_word(profile, "display_name"), _word(profile, "real_name"), _word(said, "real_name"), _word(said, "name"))
    if not user:
        return None
    return PersonFact(
        user_id=user,
        name=next(filter(None, names), ""),
        zone=_word(said, "tz")[:80],
        email=_word(profile, "email") or None,
        is_bot=said.get("is_bot") is True or user == "USLACKBOT",
        deleted=said.get("deleted") is True,
        restricted=any(said.get(mark) is True for mark in GUEST_MARKS),
        teams=tuple(_teams(said)),
    )


GUEST_MARKS = ("is_restricted", "is_ultra_restricted", "is_stranger")


def _teams(person: Json) -> Iterator[str]:
    """Their own workspace; in an organisation of several, each they were let into."""
    if team := _id(person, "team_id"):
        yield team
    for more in _list(_object(person.get("enterprise_user")), "teams") or ():
        if isinstance(more, str):
            yield more


EVENTS: Mapping[str, Callable[[Json], Iterator[Fact]]] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "member_joined_channel": _membership,
    "member_left_channel": _membership,
    "channel_created": _created,
    "channel_rename": _renamed,
    "group_rename": _renamed,
    "channel_archive": _archived,
    "group_archive": _archived,
    "channel_deleted": _archived,
    "group_deleted": _archived,
    "channel_left": _we_left,
    "group_left": _we_left,
    "channel_unarchive": _unarchived,
    "group_unarchive": _unarchived,
    "channel_id_changed": _moved,
    "file_deleted": _file_gone,
    "user_change": _person,
    "team_join": _person,
}


# JSON that somebody else wrote ------------------------------------------------------------------


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _list(value: Json, key: str) -> list[Any] | None:
    found = value.get(key)
    return cast("list[Any]", found) if isinstance(found, list) and found else None


def _word(value: Json, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _id(value: Json, key: str) -> str | None:
    found = _word(value, key)
    return found if ID.fullmatch(found) else None


def _ts(value: Json, key: str) -> str | None:
    found = _word(value, key)
    return found if TS.fullmatch(found) else None


def _event_ts(event: Json) -> str | None:
    return _ts(event, "event_ts") or _ts(event, "ts")


def _seconds(value: object) -> datetime | None:
    return EPOCH + timedelta(seconds=value) if isinstance(value, int) and 0 < value < 10**11 else None


def _maybe(fact: Fact | None) -> Iterator[Fact]:
    if fact is not None:
        yield fact
