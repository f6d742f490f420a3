"""Rows. Moments, not flags; facts that Slack can send twice have natural keys; every table knows its team."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import Date, ForeignKey, Index, Integer, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from storage.types import BigId, CleanJSON, CleanText, UTCDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


TeamKey = Annotated[str, mapped_column(String(40), index=True)]
SlackKey = Annotated[str, mapped_column(String(80))]


def row_id() -> Mapped[int]:
    return mapped_column(BigId, primary_key=True, autoincrement=True, init=False)


def of(table: str) -> Mapped[int]:
    return mapped_column(BigId, ForeignKey(f"{table}.id", ondelete="CASCADE"), index=True)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False):
    """The registry of tables; constructors take keywords only, so a misspelt one is caught by the type checker."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCDateTime(),
        date: Date(),
        str: CleanText(),
        dict[str, Any]: CleanJSON(),
        list[Any]: CleanJSON(),
        int: Integer(),
    }


# The workspace and its people ------------------------------------------------


class Workspace(Base, kw_only=True):
    __tablename__ = "workspaces"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    bot_user: Mapped[str] = mapped_column(String(80), default="")
    bot_id: Mapped[str] = mapped_column(String(80), default="")
    mark_key: Mapped[str] = mapped_column(String(80))
    """Random, made at first start: signs the opaque mark by which our own messages are looked up."""
    actions_numbered: Mapped[int] = mapped_column(default=0)
    witness_key: Mapped[str | None] = mapped_column(String(80), default=None)
    """Random, made at first start: what the chain over the archive is keyed with, unless a setting names another."""
    awake_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the clock was last known to tick, give or take half an hour."""
    away_from: Mapped[datetime | None] = mapped_column(default=None)
    """When the clock was last known to tick before the bot was away for hours, the last time."""
    back_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was back from there."""
    history_limited_at: Mapped[datetime | None] = mapped_column(default=None)
    """When Slack was seen to give only a handful of messages to a call of history."""
    restored_at: Mapped[datetime | None] = mapped_column(default=None)
    """When a backup was put in the place of this database."""
    restored_from: Mapped[datetime | None] = mapped_column(default=None)
    """The last moment of the outbox that the backup knew: what was said since may stand in Slack all the same."""


class Person(Base, kw_only=True):
    __tablename__ = "people"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(String(80), default="UTC")
    email: Mapped[str | None] = mapped_column(default=None)
    bot_since: Mapped[datetime | None] = mapped_column(default=None)
    gone_since: Mapped[datetime | None] = mapped_column(default=None)
    guest_since: Mapped[datetime | None] = mapped_column(default=None)
    """Since when they are a guest or of another workspace: they see only what their channels show them."""
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    nudges_off_at: Mapped[datetime | None] = mapped_column(default=None)
    """Since when they want no word about their wording; the one thing that is kept about it."""
    reminders_off_at: Mapped[datetime | None] = mapped_column(default=None)
    """Since when they want no reminders unasked."""
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    """Until when they asked to be left alone with reminders."""
    calendar_read_at: Mapped[datetime | None] = mapped_column(default=None)
    """When their calendar was last asked for the hours in which they are busy."""


class Channel(Base, kw_only=True):
    """What is known of a channel; private is sticky."""

    __tablename__ = "channels"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    creator: Mapped[str | None] = mapped_column(String(80), default=None)
    created_at: Mapped[datetime | None] = mapped_column(default=None)
    private_since: Mapped[datetime | None] = mapped_column(default=None)
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    bot_joined_at: Mapped[datetime | None] = mapped_column(default=None)
    bot_left_at: Mapped[datetime | None] = mapped_column(default=None)
    derived_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was last asked whether this channel opens an incident by itself."""


class Membership(Base, kw_only=True):
    """Somebody in a channel from a moment to a moment; unknown before the bot came."""

    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_channel_user", "team_id", "channel_id", "user_id"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    channel_id: Mapped[SlackKey]
    user_id: Mapped[SlackKey]
    joined_at: Mapped[datetime | None] = mapped_column(default=None)
    left_at: Mapped[datetime | None] = mapped_column(default=None)


class UserGroup(Base, kw_only=True):
    """A user group of Slack, which stands for a team, and its members when it was last read."""

    __tablename__ = "user_groups"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    group_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    handle: Mapped[str] = mapped_column(String(80), default="")
    name: Mapped[str] = mapped_column(default="")
    members: Mapped[list[Any]] = mapped_column(default_factory=list)
    gone_since: Mapped[datetime | None] = mapped_column(default=None)


class BusyTime(Base, kw_only=True):
    """Somebody is busy from a moment to a moment, and that is all that is kept of their calendar."""

    __tablename__ = "busy_times"
    __table_args__ = (Index("ix_busy_times_person", "team_id", "user_id", "from_at"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    user_id: Mapped[SlackKey]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]


# The incident ------------------------------------------------------------------


class Incident(Base, kw_only=True):
    __tablename__ = "incidents"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    title: Mapped[str]
    severity: Mapped[str | None] = mapped_column(String(8), default=None)
    opened_at: Mapped[datetime]
    opened_by: Mapped[str | None] = mapped_column(String(80), default=None)
    private_since: Mapped[datetime | None] = mapped_column(default=None)
    summary: Mapped[str | None] = mapped_column(default=None)
    impact: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    purged_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its messages had been kept for as long as was promised and lost their words."""
    events_numbered: Mapped[int] = mapped_column(default=0)
    findings_numbered: Mapped[int] = mapped_column(default=0)
    assessed: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What people answered when they were asked how grave it is: the name of each question to its answer."""


class Moment(Base, kw_only=True):
    """One setting of one moment; the latest row of a name holds, `at` is None where it was cleared."""

    __tablename__ = "moments"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    name: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime | None] = mapped_column(default=None)
    by: Mapped[str | None] = mapped_column(String(80), default=None)
    how: Mapped[str] = mapped_column(String(12))
    recorded_at: Mapped[datetime]


class Source(Base, kw_only=True):
    """A place the incident is spoken in; `thread_ts` is empty for a whole channel. One open incident per source."""

    __tablename__ = "sources"
    __table_args__ = (
        Index(
            "uq_sources_open",
            "team_id",
            "channel_id",
            "thread_ts",
            unique=True,
            sqlite_where=text("until_at IS NULL"),
            postgresql_where=text("until_at IS NULL"),
        ),
        Index("ix_sources_channel", "team_id", "channel_id"),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    channel_id: Mapped[SlackKey]
    channel_name: Mapped[str] = mapped_column(default="")
    thread_ts: Mapped[str] = mapped_column(String(24), default="")
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None] = mapped_column(default=None)
    cursor: Mapped[str | None] = mapped_column(default=None)
    """Not used any more, for a reading has its own; it stays while the version before may run beside this one."""
    fetch_from: Mapped[datetime | None] = mapped_column(default=None)
    fetched_at: Mapped[datetime | None] = mapped_column(default=None)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its last reading of history began that reached the end: what was said before is here."""


class Reading(Base, kw_only=True):
    """One reading of a source's history, resumable after every page; one at a time for each source."""

    __tablename__ = "readings"
    __table_args__ = (
        Index(
            "uq_readings_open",
            "source_id",
            unique=True,
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    source_id: Mapped[int] = of("sources")
    why: Mapped[str] = mapped_column(String(12))
    """opening, gap, recent or whole."""
    from_at: Mapped[datetime]
    began_at: Mapped[datetime]
    cursor: Mapped[str | None] = mapped_column(default=None)
    """Where the next page begins, of the channel and later of a thread; None where that begins anew."""
    reached_ts: Mapped[str | None] = mapped_column(String(24), default=None)
    """How far the pages behind the cursor came: back in time in the channel, forward in a thread."""
    oldest_ts: Mapped[str | None] = mapped_column(String(24), default=None)
    """The oldest message that Slack has shown in this reading."""
    paged_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the last page of the channel was read; the threads follow."""
    threads: Mapped[list[Any] | None] = mapped_column(default=None)
    """Threads to walk, by ts of their first message."""
    walked: Mapped[int] = mapped_column(default=0)
    """How many of them are behind us."""
    found: Mapped[int] = mapped_column(default=0)
    """Messages that nobody had told us of."""
    found_from: Mapped[datetime | None] = mapped_column(default=None)
    found_to: Mapped[datetime | None] = mapped_column(default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)


class RoleHeld(Base, kw_only=True):
    """Who has been lead, facilitator, scribe or owner, from a moment to a moment; one person at a time."""

    __tablename__ = "roles"
    __table_args__ = (
        Index(
            "uq_roles_held",
            "incident_id",
            "role",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    role: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[str] = mapped_column(String(80), index=True)
    since: Mapped[datetime]
    given_by: Mapped[str | None] = mapped_column(String(80), default=None)
    until: Mapped[datetime | None] = mapped_column(default=None)


# What was said -----------------------------------------------------------------


class Message(Base, kw_only=True):
    """A message as Slack holds it now; a deletion erases the text and keeps this tombstone."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("team_id", "channel_id", "ts"),
        Index("ix_messages_thread", "team_id", "channel_id", "thread_ts"),
        Index(
            "ix_messages_missing",
            "team_id",
            "channel_id",
            sqlite_where=text("missing_since IS NOT NULL"),
            postgresql_where=text("missing_since IS NOT NULL"),
        ),
        Index(
            "ix_messages_untold",
            "team_id",
            "posted_at",
            sqlite_where=text("hidden IS NOT NULL AND warned_at IS NULL"),
            postgresql_where=text("hidden IS NOT NULL AND warned_at IS NULL"),
        ),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    channel_id: Mapped[SlackKey]
    ts: Mapped[str] = mapped_column(String(24))
    thread_ts: Mapped[str | None] = mapped_column(String(24), default=None)
    posted_at: Mapped[datetime]
    user_id: Mapped[str | None] = mapped_column(String(80), default=None)
    bot_id: Mapped[str | None] = mapped_column(String(80), default=None)
    bot_name: Mapped[str | None] = mapped_column(default=None)
    subtype: Mapped[str | None] = mapped_column(String(60), default=None)
    text: Mapped[str] = mapped_column(default="")
    plain: Mapped[str] = mapped_column(default="")
    blocks: Mapped[list[Any] | None] = mapped_column(default=None)
    attachments: Mapped[list[Any] | None] = mapped_column(default=None)
    edited_ts: Mapped[str | None] = mapped_column(String(24), default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)
    missing_since: Mapped[datetime | None] = mapped_column(default=None)
    purged_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it had been kept for as long as was promised: nothing that is heard later brings its words back."""
    redactions: Mapped[list[Any] | None] = mapped_column(default=None)
    """Secrets that were replaced before the words were kept: kind, offset and length in `text`."""
    hidden: Mapped[str | None] = mapped_column(default=None)
    """The kinds of all secrets ever taken out of it, wherever they stood; None while there was none."""
    warned_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its author was told so, or it was found that nobody needs to be."""


class MessageVersion(Base, kw_only=True):
    """An earlier wording of a message; `edited_ts` is empty for the first one."""

    __tablename__ = "message_versions"
    __table_args__ = (UniqueConstraint("message_id", "edited_ts"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    message_id: Mapped[int] = of("messages")
    edited_ts: Mapped[str] = mapped_column(String(24), default="")
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")
    redactions: Mapped[list[Any] | None] = mapped_column(default=None)


class MessageFile(Base, kw_only=True):
    """A file that a message shows; its bytes lie beside the database under their hash, once however often shown."""

    __tablename__ = "message_files"
    __table_args__ = (
        UniqueConstraint("message_id", "file_id"),
        Index("ix_message_files_file", "team_id", "file_id"),
        Index("ix_message_files_sha256", "sha256"),
        Index(
            "ix_message_files_wanted",
            "tried_at",
            sqlite_where=text("sha256 IS NULL AND skipped IS NULL"),
            postgresql_where=text("sha256 IS NULL AND skipped IS NULL"),
        ),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    message_id: Mapped[int] = of("messages")
    file_id: Mapped[SlackKey]
    name: Mapped[str] = mapped_column(default="")
    mimetype: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(BigId, default=0)
    url: Mapped[str | None] = mapped_column(default=None)
    sha256: Mapped[str | None] = mapped_column(String(64), default=None)
    skipped: Mapped[str | None] = mapped_column(default=None)
    """Why its bytes are not kept."""
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None] = mapped_column(default=None)


class Reaction(Base, kw_only=True):
    """One person's emoji on one message; it may be known before the message is."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("team_id", "channel_id", "ts", "user_id", "name"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    channel_id: Mapped[SlackKey]
    ts: Mapped[str] = mapped_column(String(24))
    user_id: Mapped[SlackKey]
    name: Mapped[str] = mapped_column(String(120))
    changed_ts: Mapped[str] = mapped_column(String(24))
    """Slack's time of the latest word on it; an older word changes nothing."""
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    derived_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    """When its consequences were drawn; None while they wait."""


class Erasure(Base, kw_only=True):
    """Words that left the archive, and when the traces beside the tables (log, index, files, notes) were swept."""

    __tablename__ = "erasures"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    at: Mapped[datetime]
    swept_at: Mapped[datetime | None] = mapped_column(default=None, index=True)


class ErasedPerson(Base, kw_only=True):
    """Somebody who asked to be forgotten: known by a keyed mark alone, so that what Slack says later names nobody."""

    __tablename__ = "erased_people"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    mark: Mapped[str] = mapped_column(String(80), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


# The witness -----------------------------------------------------------------------


class Book(Base, kw_only=True):
    """One writer's chain over what it kept; a process begins its own, and leans on where the others stood."""

    __tablename__ = "books"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    begun_at: Mapped[datetime]
    seed: Mapped[str] = mapped_column(String(64))
    """What the first entry is chained to: it is made of what the book leans on."""
    keyed: Mapped[str] = mapped_column(String(16))
    """By which it tells which key it was written with."""
    leans_on: Mapped[dict[str, Any]]
    """Where the others stood: number and link of the last line by book, 0 and the seed of one without lines."""
    older: Mapped[list[Any] | None] = mapped_column(default=None)
    """In the first book: the highest id and the number of the messages that were kept before there was a witness."""


class BookEntry(Base, kw_only=True):
    """A wording or a deletion, chained to the entry before it; the salt goes with the words, the chain stays whole."""

    __tablename__ = "book_entries"
    __table_args__ = (UniqueConstraint("book_id", "number"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[str] = mapped_column(String(40))
    book_id: Mapped[int] = mapped_column(BigId, ForeignKey("books.id", ondelete="CASCADE"))
    number: Mapped[int]
    message_id: Mapped[int] = mapped_column(BigId, index=True)
    edited_ts: Mapped[str] = mapped_column(String(24), default="")
    what: Mapped[str] = mapped_column(String(8))
    """said, deleted or erased."""
    salt: Mapped[str | None] = mapped_column(String(32), default=None)
    digest: Mapped[str] = mapped_column(String(64), default="")
    link: Mapped[str] = mapped_column(String(64))


# The timeline, the findings, the actions ------------------------------------------


class TimelineEvent(Base, kw_only=True):
    """A moment on the timeline. `text` is None while the message's own words serve; dropped ones keep their number."""

    __tablename__ = "timeline_events"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        UniqueConstraint("incident_id", "channel_id", "ts"),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    kind_by: Mapped[str | None] = mapped_column(String(80), default=None)
    """Who chose the kind by name; None where it was guessed."""
    outcome: Mapped[str] = mapped_column(String(12), default="unknown")
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    text: Mapped[str | None] = mapped_column(default=None)
    by: Mapped[str | None] = mapped_column(String(80), default=None)
    source: Mapped[str] = mapped_column(String(12))
    channel_id: Mapped[str | None] = mapped_column(String(80), default=None)
    ts: Mapped[str | None] = mapped_column(String(24), default=None)
    question: Mapped[str | None] = mapped_column(default=None)
    answer: Mapped[str | None] = mapped_column(default=None)
    dropped_at: Mapped[datetime | None] = mapped_column(default=None)
    untagged_at: Mapped[datetime | None] = mapped_column(default=None)


class EventComment(Base, kw_only=True):
    __tablename__ = "event_comments"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    event_id: Mapped[int] = of("timeline_events")
    text: Mapped[str]
    by: Mapped[SlackKey]
    at: Mapped[datetime]


class Finding(Base, kw_only=True):
    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    sort: Mapped[str | None] = mapped_column(String(16), default=None)
    text: Mapped[str]
    by: Mapped[SlackKey]
    at: Mapped[datetime]
    dropped_at: Mapped[datetime | None] = mapped_column(default=None)
    meeting_id: Mapped[int | None] = mapped_column(BigId, default=None)
    """The meeting of one team alone in which it was found; None where it was found anywhere else."""


class Action(Base, kw_only=True):
    """A promise with one owner and one due day; numbered per workspace."""

    __tablename__ = "actions"
    __table_args__ = (
        UniqueConstraint("team_id", "number"),
        UniqueConstraint("incident_id", "channel_id", "ts"),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    number: Mapped[int]
    text: Mapped[str]
    owner: Mapped[str | None] = mapped_column(String(80), default=None, index=True)
    due: Mapped[date | None] = mapped_column(default=None, index=True)
    state: Mapped[str] = mapped_column(String(16), default="proposed")
    horizon: Mapped[str] = mapped_column(String(8), default="quick")
    category: Mapped[str | None] = mapped_column(String(16), default=None)
    priority: Mapped[str | None] = mapped_column(String(8), default=None)
    team: Mapped[str | None] = mapped_column(default=None)
    second_order: Mapped[str | None] = mapped_column(default=None)
    evidence: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    """Links or notes under `deployed`, `tested`, `documented`."""
    verified_by: Mapped[str | None] = mapped_column(String(80), default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
    proposed_by: Mapped[str | None] = mapped_column(String(80), default=None)
    proposed_at: Mapped[datetime]
    committed_at: Mapped[datetime | None] = mapped_column(default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    channel_id: Mapped[str | None] = mapped_column(String(80), default=None)
    ts: Mapped[str | None] = mapped_column(String(24), default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)
    snoozed_until: Mapped[date | None] = mapped_column(default=None)
    """The first day on which its owner may be reminded of it again."""
    worked: Mapped[str | None] = mapped_column(String(8), default=None)
    """What its owner said, when asked after it was done, whether it worked: yes, no or unsure."""
    worked_at: Mapped[datetime | None] = mapped_column(default=None)


class Link(Base, kw_only=True):
    """One thing answers or comes from another: `action 12 answers finding 3`; ids are row ids."""

    __tablename__ = "links"
    __table_args__ = (UniqueConstraint("from_kind", "from_id", "relation", "to_kind", "to_id"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    from_kind: Mapped[str] = mapped_column(String(12))
    from_id: Mapped[int] = mapped_column(BigId)
    relation: Mapped[str] = mapped_column(String(12))
    to_kind: Mapped[str] = mapped_column(String(12))
    to_id: Mapped[int] = mapped_column(BigId)


class Change(Base, kw_only=True):
    """One line of history: what of which thing, from what to what, by whom, when."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_subject", "subject", "subject_id"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    subject: Mapped[str] = mapped_column(String(12))
    subject_id: Mapped[int] = mapped_column(BigId)
    what: Mapped[str] = mapped_column(String(40))
    before: Mapped[str | None] = mapped_column(default=None)
    after: Mapped[str | None] = mapped_column(default=None)
    by: Mapped[str | None] = mapped_column(String(80), default=None)
    at: Mapped[datetime]


class Rung(Base, kw_only=True):
    """A rung of an action's ladder that was said; the unique key lets two replicas ask at once."""

    __tablename__ = "rungs"
    __table_args__ = (UniqueConstraint("action_id", "key"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    action_id: Mapped[int] = of("actions")
    key: Mapped[str] = mapped_column(String(60))
    said_at: Mapped[datetime]


# The review and its meetings ---------------------------------------------------------


class Review(Base, kw_only=True):
    """The learning about one incident; its stage is derived from these moments."""

    __tablename__ = "reviews"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = mapped_column(BigId, ForeignKey("incidents.id", ondelete="CASCADE"), unique=True)
    proposed_at: Mapped[datetime | None] = mapped_column(default=None)
    """When the meeting's hour was proposed to the lead."""
    candidates_offered_at: Mapped[datetime | None] = mapped_column(default=None)
    pre_read_sent_at: Mapped[datetime | None] = mapped_column(default=None)
    drafted_at: Mapped[datetime | None] = mapped_column(default=None)
    draft: Mapped[str | None] = mapped_column(default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    published_at: Mapped[datetime | None] = mapped_column(default=None)
    published_to: Mapped[str | None] = mapped_column(String(80), default=None)
    published_head: Mapped[str | None] = mapped_column(String(64), default=None)
    """Where the chain over the archive stood when the summary was published; it stands there, too."""
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    skipped_at: Mapped[datetime | None] = mapped_column(default=None)
    cancelled_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(default=None)
    depth: Mapped[str | None] = mapped_column(String(8), default=None)
    """full, light or async, where a person chose it; None where the policy decides."""
    stepped: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """How far a light review is led through, or the threads of an async one and their deadline."""


class Meeting(Base, kw_only=True):
    """One sitting of a review, with its place, hour, attendees and notes."""

    __tablename__ = "meetings"
    __table_args__ = (UniqueConstraint("review_id", "number"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    review_id: Mapped[int] = of("reviews")
    number: Mapped[int] = mapped_column(default=1)
    meets_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    minutes: Mapped[int] = mapped_column(default=60)
    zone: Mapped[str] = mapped_column(String(80), default="UTC")
    why: Mapped[str | None] = mapped_column(default=None)
    """Why it is at this hour, where that needs a word."""
    channel_id: Mapped[str | None] = mapped_column(String(80), default=None)
    thread_ts: Mapped[str | None] = mapped_column(String(24), default=None)
    call: Mapped[str | None] = mapped_column(default=None)
    scheduled_at: Mapped[datetime | None] = mapped_column(default=None)
    scheduled_by: Mapped[str | None] = mapped_column(String(80), default=None)
    cancelled_at: Mapped[datetime | None] = mapped_column(default=None)
    called_at: Mapped[datetime | None] = mapped_column(default=None)
    """When people were called, ten minutes before."""
    opened_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    touched_at: Mapped[datetime | None] = mapped_column(default=None)
    """The last gesture of the meeting; nobody pressing end, it ended then."""
    recording: Mapped[str | None] = mapped_column(default=None)
    agenda: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    stops: Mapped[list[Any] | None] = mapped_column(default=None)
    """Numbers of the events the walk is to stop at, where somebody chose them beforehand."""
    asked_at: Mapped[datetime | None] = mapped_column(default=None)
    """When, with nobody there, it was asked whether it runs by itself or moves."""
    self_run_at: Mapped[datetime | None] = mapped_column(default=None)
    """When somebody let it run by itself, without a facilitator."""
    pulse: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """How the meeting was for those who were there: how many said each thing, and nobody's name."""
    apart: Mapped[str | None] = mapped_column(default=None)
    """The team that meets by itself first; None for a meeting of everybody."""
    uid: Mapped[str | None] = mapped_column(String(120), default=None)
    """What calendars know it by, for ever."""
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often what calendars hold of it was revised (RFC 5545)."""
    first_meets_at: Mapped[datetime | None] = mapped_column(default=None)
    """The hour it was booked for at first, however often it was moved."""
    burden: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """Minutes outside their working hours, by person, of those it was booked outside of: their turn rotates."""
    calendar: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What calendars hold of it: its hour, length, place, who is asked, and since when."""


class Attendee(Base, kw_only=True):
    __tablename__ = "attendees"
    __table_args__ = (UniqueConstraint("meeting_id", "user_id"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    meeting_id: Mapped[int] = of("meetings")
    user_id: Mapped[SlackKey]
    core_since: Mapped[datetime | None] = mapped_column(default=None)
    """Set for core attendees; the rest are optional readers."""
    invited_at: Mapped[datetime]
    uninvited_at: Mapped[datetime | None] = mapped_column(default=None)
    present_at: Mapped[datetime | None] = mapped_column(default=None)
    answer: Mapped[str | None] = mapped_column(String(8), default=None)
    """coming or not, where they said so."""
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    why: Mapped[str | None] = mapped_column(default=None)
    """What they were proposed for: a team, a role or a business function they speak for."""


class RoleAsked(Base, kw_only=True):
    """That somebody was asked to take a role in a meeting, once, and what they said."""

    __tablename__ = "roles_asked"
    __table_args__ = (UniqueConstraint("meeting_id", "role", "user_id"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    incident_id: Mapped[int] = of("incidents")
    meeting_id: Mapped[int] = of("meetings")
    role: Mapped[str] = mapped_column(String(16))
    """facilitator, scribe or shadow."""
    user_id: Mapped[str] = mapped_column(String(80), index=True)
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(8), default=None)
    """taken, passed or lapsed."""
    answered_at: Mapped[datetime | None] = mapped_column(default=None)


class SealedAnswer(Base, kw_only=True):
    """A private answer before the meeting, encrypted with a key that this database does not hold.

    Its number is random, so that the order of rows tells nothing; who wrote it, where they sign, is inside the box.
    """

    __tablename__ = "sealed_answers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    team_id: Mapped[TeamKey]
    meeting_id: Mapped[int] = of("meetings")
    box: Mapped[str]


class SealedMark(Base, kw_only=True):
    """That somebody has answered, known by a keyed mark alone, with no way from it to their answer."""

    __tablename__ = "sealed_marks"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    meeting_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    mark: Mapped[str] = mapped_column(String(80), primary_key=True)


class PulseMark(Base, kw_only=True):
    """That somebody has tapped one thing, known by a keyed mark alone, until the review is published."""

    __tablename__ = "pulse_marks"
    __table_args__ = (UniqueConstraint("meeting_id", "mark"),)

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    meeting_id: Mapped[int] = of("meetings")
    mark: Mapped[str] = mapped_column(String(80))


class MeetingNote(Base, kw_only=True):
    """Something written down in the meeting; `parked_at` is set for what was parked."""

    __tablename__ = "meeting_notes"

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    meeting_id: Mapped[int] = of("meetings")
    topic: Mapped[str] = mapped_column(String(20))
    text: Mapped[str]
    by: Mapped[SlackKey]
    at: Mapped[datetime]
    parked_at: Mapped[datetime | None] = mapped_column(default=None)


# What waits to be said ----------------------------------------------------------------

ANSWER, BROADCAST = 0, 1
"""Ranks of notes: somebody waits for an answer, and for a broadcast nobody does."""


class OutboxNote(Base, kw_only=True):
    """Something to say, written in the transaction of the change that says it; its key is a function of the intent."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("team_id", "key"),
        Index("ix_outbox_due", "state", "not_before"),
        Index("ix_outbox_channel", "team_id", "channel_id", "state"),
        Index("ix_outbox_attempted", "team_id", "attempted_at"),
    )

    id: Mapped[int] = row_id()
    team_id: Mapped[TeamKey]
    key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(10))
    """once, live, whisper, letter or mark (our emoji on the message `thread_ts`; a minus before it takes it off)."""
    incident_id: Mapped[int | None] = mapped_column(BigId, default=None, index=True)
    channel_id: Mapped[SlackKey]
    """A channel, or a person for a direct message."""
    thread_ts: Mapped[str] = mapped_column(String(24), default="")
    user_id: Mapped[str | None] = mapped_column(String(80), default=None)
    """Whom a whisper is for."""
    text: Mapped[str]
    blocks: Mapped[list[Any] | None] = mapped_column(default=None)
    files: Mapped[list[Any] | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    said_version: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(8), default="pending")
    """pending, sending, sent or dead; a letter is to_mail and mailing before that."""
    written_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    posted_channel: Mapped[str | None] = mapped_column(String(80), default=None)
    posted_ts: Mapped[str | None] = mapped_column(String(24), default=None, index=True)
    error: Mapped[str | None] = mapped_column(default=None)
    rank: Mapped[int] = mapped_column(default=BROADCAST, server_default=str(BROADCAST))
    """What goes ahead where not all can go at once: the lower first."""
    read_back_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was last looked for in Slack after it was said."""
    reposted_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was said once more, because Slack had lost it."""
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)
    """When somebody deleted it in Slack: it is not said once more."""
    letter: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """Of a letter: its subject, and the calendar that goes with it."""


class Pause(Base, kw_only=True):
    """Until when Slack asked not to be called by this method; every replica keeps to it."""

    __tablename__ = "pauses"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    method: Mapped[str] = mapped_column(String(80), primary_key=True)
    until: Mapped[datetime]


class Fit(Base, kw_only=True):
    """A revision whose program works on the schema as it is, so that it may go on running beside a newer one."""

    __tablename__ = "fits"

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)


class Gesture(Base, kw_only=True):
    """A signed request that was served; a replay finds it here and has no second effect."""

    __tablename__ = "gestures"

    team_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    mark: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
