"""How long Slack asked us to wait, and what was begun of late: the pace that every replica keeps to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session, aliased

from storage.models import OutboxNote, Pause
from storage.rows import insert_into

TALKING = ("once", "live", "whisper", "picture")
"""Kinds of notes that are messages; our emoji is none."""


def hold(db: Session, team: str, method: str, *, until: datetime) -> None:
    """No replica is to call this method before a moment; of two moments the later one holds."""
    written = insert_into(db, Pause).values(team_id=team, method=method, until=until)
    later = {"until": written.excluded.until}
    db.execute(
        written.on_conflict_do_update(
            index_elements=["team_id", "method"], set_=later, where=Pause.until < written.excluded.until
        )
    )


def held(db: Session, team: str, *, now: datetime) -> Mapping[str, datetime]:
    """The methods that are not to be called now, and until when."""
    paused = db.scalars(select(Pause).where(Pause.team_id == team, Pause.until > now))
    return {pause.method: pause.until for pause in paused}


def begun(db: Session, team: str, *, since: datetime, now: datetime) -> Sequence[datetime]:
    """When notes were begun after a moment and until now; letters do not go to Slack."""
    lately = (OutboxNote.attempted_at > since, OutboxNote.attempted_at <= now, OutboxNote.kind != "letter")
    return [at for at in db.scalars(select(OutboxNote.attempted_at).where(OutboxNote.team_id == team, *lately)) if at]


def spoken_in(team: str, *, now: datetime, within: timedelta) -> ColumnElement[bool]:
    """Whether something was begun to be said, a moment ago, in the channel in which a note is to be said."""
    other = aliased(OutboxNote)
    lately = and_(other.attempted_at > now - within, other.attempted_at <= now)
    here = and_(other.team_id == team, other.channel_id == OutboxNote.channel_id, other.kind.in_(TALKING))
    return and_(OutboxNote.kind.in_(TALKING), select(other.id).where(here, lately).exists())


def said_by(methods: Collection[str]) -> ColumnElement[bool]:
    """Whether a note is carried by one of these methods of Slack's."""
    return or_(false(), *(CARRIES[method] for method in methods if method in CARRIES))


_stands = OutboxNote.posted_ts.is_not(None)
_words = OutboxNote.kind.in_(("once", "live"))
_mark = OutboxNote.kind == "mark"
_picture = OutboxNote.kind == "picture"
_takes_off: ColumnElement[bool] = OutboxNote.text.like("-%")
CARRIES: Mapping[str, ColumnElement[bool]] = {
    "chat.postMessage": and_(or_(_words, _picture), ~_stands),
    "chat.update": and_(or_(_words, _picture), _stands),
    "chat.postEphemeral": OutboxNote.kind == "whisper",
    "reactions.add": and_(_mark, ~_takes_off),
    "reactions.remove": and_(_mark, _takes_off),
    "files.getUploadURLExternal": _picture,
    "files.completeUploadExternal": _picture,
    "files.delete": _picture,
}
"""Methods, and the notes that need them."""
