"""What was said: facts about messages merge here without regard to the order they come in.

The newest wording of a message is shown and its earlier ones are kept as versions. A deletion erases all of them, and
nothing that is heard later brings them back.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from bot.review.candidates import Chatter
from bot.review.heard import Content, FileFact, MessageFact, in_order, moment_of
from bot.review.incident import ChannelId, Ts, UserId
from bot.review.plain_text import plain
from storage import files, pseudonyms, quotations, reactions, witness
from storage.models import Message, MessageFile, MessageVersion, Person, Source, Workspace
from storage.rows import AT_ONCE, any_key, in_parts, insert_new_of

IDENTITY = ("id", "channel_id", "ts")
Key = tuple[str, str]


# Keeping messages ----------------------------------------------------------------------


def keep(db: Session, team: str, *facts: MessageFact) -> None:
    """Keep what was said of messages; the same facts in any order and number end in the same rows.

    Most messages are new: the first fact of each is written without looking. What finds a row there already, and
    whatever else is said of a message, is merged.
    """
    by_key: defaultdict[Key, list[MessageFact]] = defaultdict(list)
    for fact in pseudonyms.let_in(db, team, facts):
        by_key[fact.key].append(fact)
    for part in in_parts(sorted(by_key)):
        _keep(db, team, {key: by_key[key] for key in part})


def _keep(db: Session, team: str, facts: Mapping[Key, list[MessageFact]]) -> None:
    here = _write_new(db, team, [said[0] for said in facts.values()])
    rest = {key: said for key, said in facts.items() if key not in here or _says_more(said)}
    if rest:
        _merge_all(db, team, rest)


def _says_more(said: Sequence[MessageFact]) -> bool:
    """Whether facts say more than the row that was written from the first of them: files have rows of their own."""
    return bool(said[0].files) or any(fact != said[0] for fact in said[1:])


def _write_new(db: Session, team: str, facts: Sequence[MessageFact]) -> set[Key]:
    """Write the rows that nobody has written yet, and give their keys."""
    rows = {fact.key: _new(team, fact) for fact in facts}
    ids = {(channel, ts): row for row, channel, ts in insert_new_of(db, Message, list(rows.values()), *IDENTITY)}
    witness.write(db, team, [witness.entry_of_new(ids[key], row) for key, row in rows.items() if key in ids])
    return set(ids)


def _new(team: str, fact: MessageFact) -> dict[str, Any]:
    said = fact.content or Content()
    return {
        "team_id": team,
        "channel_id": fact.channel,
        "ts": fact.ts,
        "thread_ts": fact.thread_ts,
        "posted_at": moment_of(fact.ts),
        "user_id": fact.user,
        "bot_id": fact.bot_id,
        "bot_name": fact.bot_name,
        "subtype": fact.subtype,
        "text": said.text,
        "plain": plain(said.text, said.blocks, said.attachments),
        "blocks": said.blocks,
        "attachments": said.attachments,
        "redactions": list(said.redactions) or None,
        "hidden": _both(None, fact.hidden),
        "edited_ts": said.edited_ts or None,
        "deleted_at": fact.deleted_at,
    }


def _both(known: str | None, hidden: Collection[str]) -> str | None:
    """The kinds of secrets known of and those seen now, in one order whichever came first."""
    return ", ".join(sorted({*(known.split(", ") if known else ()), *hidden})) or None


# Merging what is known -----------------------------------------------------------------


@dataclass
class _Kept:
    """A message's row with its versions and files."""

    message: Message
    versions: dict[str, MessageVersion] = field(default_factory=dict[str, MessageVersion])
    files: dict[str, MessageFile] = field(default_factory=dict[str, MessageFile])
    gone: quotations.Gone | None = None
    """What it said, where it was deleted just now."""


def _merge_all(db: Session, team: str, facts: Mapping[Key, list[MessageFact]]) -> None:
    known = _known(db, team, list(facts))
    entered = {entry for kept in known.values() for entry in _entries(kept)}
    for key, said in facts.items():
        for fact in said:
            _merge(known[key], fact)
    _leave_own_files(db, team, known.values())
    reworded = _forget_own_wordings(db, team, known.values())
    _write(db, list(known.values()), forget=reworded)
    gone = [kept.gone for kept in known.values() if kept.gone]
    quotations.follow(db, team, gone, _incidents(db, [one.id for one in gone]))
    witness.write(db, team, [witness.Entry(message, "erased") for message in reworded])
    entered -= {entry for entry in entered if entry.message_id in reworded}
    changed = [entry for kept in known.values() for entry in _entries(kept) if entry not in entered]
    witness.write(db, team, changed)


def _forget_own_wordings(db: Session, team: str, rows: Collection[_Kept]) -> list[int]:
    """Of what we post ourselves nothing is kept but what it says now: it quotes others, who may delete their words."""
    if not any(kept.versions for kept in rows):
        return []
    us = db.get(Workspace, team)
    ours = [kept for kept in rows if us and kept.versions and _is_ours(kept.message, us)]
    for kept in ours:
        kept.versions.clear()
    return [kept.message.id for kept in ours]


def _leave_own_files(db: Session, team: str, rows: Collection[_Kept]) -> None:
    """What we draw ourselves is not fetched back: it quotes others, who may delete their words, and is drawn anew."""
    us = db.get(Workspace, team) if any(kept.files for kept in rows) else None
    for kept in rows if us else ():
        if us and _is_ours(kept.message, us):
            for file in kept.files.values():
                files.leave(file)


def _is_ours(row: Message, us: Workspace) -> bool:
    return bool((us.bot_id and row.bot_id == us.bot_id) or (us.bot_user and row.user_id == us.bot_user))


def _incidents(db: Session, messages: Sequence[int]) -> Mapping[int, set[int]]:
    """The incidents that messages were said in, by message."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    if messages:
        said_in = select(Message.id, Source.incident_id).join(Source, in_source()).where(Message.id.in_(messages))
        for message, incident in db.execute(said_in):
            found[message].add(incident)
    return found


def _entries(kept: _Kept) -> list[witness.Entry]:
    return witness.entries_of(kept.message, kept.versions.values())


def _known(db: Session, team: str, keys: Sequence[Key]) -> dict[Key, _Kept]:
    query = select(Message).where(Message.team_id == team, any_key(Message, keys)).order_by(Message.id)
    rows = db.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    kept = {row.id: _Kept(row) for row in rows}
    if kept:
        for version in db.scalars(select(MessageVersion).where(MessageVersion.message_id.in_(kept))):
            kept[version.message_id].versions[version.edited_ts] = version
        for file in db.scalars(select(MessageFile).where(MessageFile.message_id.in_(kept))):
            kept[file.message_id].files[file.file_id] = file
    return {(row.message.channel_id, row.message.ts): row for row in kept.values()}


def _merge(kept: _Kept, fact: MessageFact) -> None:
    row = kept.message
    row.thread_ts, row.user_id = _either(row.thread_ts, fact.thread_ts), _either(row.user_id, fact.user)
    row.bot_id, row.bot_name = _either(row.bot_id, fact.bot_id), _either(row.bot_name, fact.bot_name)
    row.subtype = _either(row.subtype, fact.subtype)
    row.hidden = _both(row.hidden, fact.hidden)
    for file in fact.files if not row.purged_at else ():
        _merge_file(kept, file)
    if fact.deleted_at:
        kept.gone = kept.gone or _about_to_go(kept, fact.deleted_at)
        row.deleted_at = min(row.deleted_at or fact.deleted_at, fact.deleted_at)
    if row.deleted_at:
        _erase(kept)
    elif fact.content and not row.purged_at:
        _hear(kept, fact.content)


def _about_to_go(kept: _Kept, at: datetime) -> quotations.Gone | None:
    row = kept.message
    return None if row.deleted_at else quotations.of(row, kept.versions.values(), at)


def _either(known: str | None, said: str | None) -> str | None:
    """What is known of the two; should they ever differ, the same one whichever came first."""
    return max(known or "", said or "") or None


def _merge_file(kept: _Kept, fact: FileFact) -> None:
    row = kept.files.get(fact.file_id)
    if row is None:
        row = MessageFile(team_id=kept.message.team_id, message_id=kept.message.id, file_id=fact.file_id)
        kept.files[fact.file_id] = row
    files.merge(row, fact)


def _erase(kept: _Kept) -> None:
    row = kept.message
    row.text, row.plain, row.blocks, row.attachments, row.edited_ts = "", "", None, None, None
    row.redactions = row.hidden = None
    kept.versions.clear()
    for file in kept.files.values():
        files.blank(file)


def _hear(kept: _Kept, said: Content) -> None:
    row = kept.message
    held = content_of(row)
    if said.edited_ts == held.edited_ts:  # A preview of a link changes no word of it.
        _word(row, max(held, said, key=lambda content: content.rank))
    else:
        earlier, newest = sorted((held, said), key=lambda content: content.rank)
        _remember(kept, earlier)
        _word(row, newest)


def content_of(row: Message) -> Content:
    """The wording that a row holds."""
    return Content(
        edited_ts=row.edited_ts or "",
        text=row.text,
        blocks=row.blocks,
        attachments=row.attachments,
        redactions=tuple(row.redactions or ()),
    )


def _word(row: Message, content: Content) -> None:
    row.edited_ts, row.text = content.edited_ts or None, content.text
    row.blocks, row.attachments = content.blocks, content.attachments
    row.redactions = list(content.redactions) or None
    row.plain = plain(content.text, content.blocks, content.attachments)


def _remember(kept: _Kept, content: Content) -> None:
    row, edited_ts = kept.message, content.edited_ts
    at = moment_of(edited_ts) if edited_ts else row.posted_at
    version = kept.versions.get(edited_ts)
    if version is None:
        version = MessageVersion(team_id=row.team_id, message_id=row.id, edited_ts=edited_ts, at=at)
        kept.versions[edited_ts] = version
    # Of a version nothing but the text is kept, and what was taken out of that.
    redactions = [one for one in content.redactions if one["offset"] is not None] or None
    if (content.text, json.dumps(redactions)) > (version.text, json.dumps(version.redactions)):
        version.text, version.redactions = content.text, redactions


def _write(db: Session, rows: Sequence[_Kept], *, forget: Sequence[int]) -> None:
    """Changed rows are written by the session itself; versions of what was deleted go."""
    gone = {kept.message.id for kept in rows if kept.message.deleted_at}.union(forget)
    if gone:
        db.execute(delete(MessageVersion).where(MessageVersion.message_id.in_(gone)))
    for kept in rows:
        db.add_all(part for part in (*kept.versions.values(), *kept.files.values()) if part not in db)
    db.flush()


# Questions ------------------------------------------------------------------------------------


def find(db: Session, team: str, channel: str, ts: str) -> Message | None:
    """The message that Slack knows by this channel and time."""
    return db.scalar(select(Message).where(Message.team_id == team, Message.channel_id == channel, Message.ts == ts))


def known(db: Session, team: str, keys: Sequence[Key]) -> set[Key]:
    """Those of these messages that are kept."""
    query = select(Message.channel_id, Message.ts)
    return {
        (channel, ts)
        for part in in_parts(sorted(set(keys)))
        for channel, ts in db.execute(query.where(Message.team_id == team, any_key(Message, part)))
    }


def in_source() -> ColumnElement[bool]:
    """That a Message was said in a Source: in its channel, in its thread where it is one, while it was listened to.

    A thread that is an incident of its own is no part of its channel's incident.
    """
    own = aliased(Source)
    elsewhere = (
        select(own.id)
        .where(
            own.team_id == Message.team_id,
            own.channel_id == Message.channel_id,
            own.thread_ts == func.coalesce(Message.thread_ts, Message.ts),
            own.incident_id != Source.incident_id,
            own.from_at <= Message.posted_at,
        )
        .correlate(Message, Source)
        .exists()
    )
    in_thread = or_(Source.thread_ts == Message.thread_ts, Source.thread_ts == Message.ts)
    return and_(
        Message.team_id == Source.team_id,
        Message.channel_id == Source.channel_id,
        or_(in_thread, and_(Source.thread_ts == "", ~elsewhere)),
        Message.posted_at >= Source.from_at,
        or_(Source.until_at.is_(None), Message.posted_at <= Source.until_at),
    )


def inside(incident: int) -> ColumnElement[bool]:
    """That a Message was said in a source of this incident."""
    said = select(Message.id).join(Source, in_source()).where(Source.incident_id == incident)
    return Message.id.in_(said.correlate(None))


def belongs(db: Session, message: Message, incident: int) -> bool:
    """Whether a message was said in a source of this incident."""
    here = select(Message.id).join(Source, in_source()).where(Source.incident_id == incident, Message.id == message.id)
    return db.scalar(here.limit(1)) is not None


def of_incident(db: Session, incident: int) -> Sequence[Message]:
    """Every message of an incident's sources, threads and tombstones included, in order of ts."""
    return db.scalars(select(Message).where(inside(incident)).order_by(Message.ts, Message.channel_id)).all()


def pages_of_incident(db: Session, incident: int) -> Iterator[Sequence[Message]]:
    """The same, a part at a time: an incident may have more messages than memory should hold."""
    in_order_of_time = (Message.posted_at, Message.ts, Message.channel_id)
    query = select(Message).where(inside(incident)).order_by(*in_order_of_time).execution_options(yield_per=AT_ONCE)
    yield from db.scalars(query).partitions()


def count_of_incident(db: Session, incident: int) -> int:
    """How many messages an incident's sources have."""
    return db.scalars(select(func.count(Message.id)).where(inside(incident))).one()


def versions_of(db: Session, messages: Sequence[Message]) -> dict[int, list[MessageVersion]]:
    """Earlier wordings by message id, oldest first; a wording that changed nothing is left out."""
    texts = {message.id: message.text for message in messages}
    found: defaultdict[int, list[MessageVersion]] = defaultdict(list)
    for part in in_parts(list(texts)):
        rows = db.scalars(select(MessageVersion).where(MessageVersion.message_id.in_(part)))
        for row in sorted(rows, key=lambda version: in_order(version.edited_ts)):
            found[row.message_id].append(row)
    return {message_id: _changing(rows, texts[message_id]) for message_id, rows in found.items()}


def _changing(rows: list[MessageVersion], newest: str) -> list[MessageVersion]:
    following = [*(row.text for row in rows[1:]), newest]
    return [row for row, text in zip(rows, following, strict=True) if row.text != text]


def files_of(db: Session, messages: Sequence[Message]) -> dict[int, list[MessageFile]]:
    """Files by message id."""
    found: defaultdict[int, list[MessageFile]] = defaultdict(list)
    for part in in_parts([message.id for message in messages]):
        query = select(MessageFile).where(MessageFile.message_id.in_(part)).order_by(MessageFile.file_id)
        for row in db.scalars(query):
            found[row.message_id].append(row)
    return dict(found)


def unwarned(db: Session, team: str, *, since: datetime, at_most: int = 50) -> Sequence[Message]:
    """Messages said or edited since then that came with a secret, of which nobody has been told yet."""
    lately = or_(Message.posted_at >= since, Message.edited_ts >= f"{since.timestamp():.6f}")
    pending = and_(Message.team_id == team, Message.hidden.is_not(None), Message.warned_at.is_(None))
    # In the order of the index that holds nothing else: by id, all that was ever said would be searched.
    return db.scalars(select(Message).where(pending, lately).order_by(Message.posted_at).limit(at_most)).all()


def hold(db: Session, message_id: int) -> Message | None:
    """A message as it is now, held until the turn ends."""
    return db.get(Message, message_id, with_for_update=True, populate_existing=True)


def is_program(message: Message, bots: set[str]) -> bool:
    """Whether a program said it."""
    return message.bot_id is not None or message.subtype == "bot_message" or message.user_id in bots


def by_us() -> ColumnElement[bool]:
    """That this bot said it."""
    us = select(Workspace.team_id).where(Workspace.team_id == Message.team_id)
    return us.where(or_(Workspace.bot_user == Message.user_id, Workspace.bot_id == Message.bot_id)).exists()


def to_us() -> ColumnElement[bool]:
    """That it was said to this bot: it begins with its mention, and what it told us is kept as what it says."""
    mention = or_(*(func.ltrim(Message.text).like("<@" + Workspace.bot_user + end) for end in (">%", "|%")))
    return select(Workspace.team_id).where(Workspace.team_id == Message.team_id, mention).exists()


def chatter(db: Session, incident: int) -> list[Chatter]:
    """What people and programs said in an incident, as the rules that offer candidates look at it.

    Without what this bot said, and what was said to it.
    """
    among_them = (Message.deleted_at.is_(None), ~by_us(), ~to_us())
    said = db.scalars(select(Message).where(inside(incident), *among_them)).all()
    bots = set(db.scalars(select(Person.user_id).where(Person.bot_since.is_not(None))))
    held = reactions.of(db, said)
    return [
        Chatter(
            channel=ChannelId(message.channel_id),
            ts=Ts(message.ts),
            thread_ts=Ts(message.thread_ts) if message.thread_ts else None,
            user=UserId(message.user_id) if message.user_id else None,
            is_bot=is_program(message, bots),
            text=message.plain,
            reactions=sum(map(len, held.get(message.id, {}).values())),
            at=message.posted_at,
            program=message.bot_name or "",
        )
        for message in said
        if message.subtype not in OF_THE_CHANNEL
    ]


OF_THE_CHANNEL = {
    f"{kind}_{what}"
    for kind in ("channel", "group")
    for what in ("join", "leave", "topic", "purpose", "name", "archive", "unarchive", "convert_to_private")
}
"""Subtypes of messages that Slack itself writes about a channel and who comes and goes."""


def permalink_of(message: Message | None, workspace_url: str) -> str | None:
    """The address of a message; None where it was deleted, and while the workspace's own address is not known."""
    if message is None or message.deleted_at or not workspace_url:
        return None
    return permalink(workspace_url, message.channel_id, message.ts, message.thread_ts)


def permalink(workspace_url: str, channel: str, ts: str, thread_ts: str | None = None) -> str:
    """The address of a message, as Slack would give it."""
    link = f"{workspace_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else link
