"""A desk without Slack: what the command line does with the database alone."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from bot import exports, formats, importing, restoring, rewriting, verifying
from bot.desk import Desk, House, Turn
from bot.opening import readable
from bot.render import Renderer
from bot.review.incident import TeamId
from bot.review.refusal import UnknownFormat
from bot.review.report import Facts
from bot.settings import Settings
from storage import channels, incidents, outbox, people, reviews, verification
from storage.models import ANSWER, Incident
from storage.session import Storage, new_mark_key, upgrade
from storage.unsaid import Unsaid, Why, told

PAGE = 500
"""Messages taken in by one transaction of an import."""
NO_TEAM = TeamId("T0LOCAL")
"""An export that does not say which workspace it is from."""


class NoSuchIncident(Exception):
    """One sentence about an incident that is not there."""


@contextmanager
def opened(settings: Settings) -> Generator[Storage]:
    """The database of these settings, at the newest schema."""
    upgrade(settings.url)
    storage = Storage(settings.url, witness_key=settings.witness_secret)
    try:
        yield storage
    finally:
        storage.close()


# Listing and exporting ---------------------------------------------------------------


def listed(storage: Storage) -> list[dict[str, Any]]:
    """Every incident there is, newest first."""
    with storage.read() as db:
        return [_row(db, incident) for incident in _every(db)]


def _row(db: Session, incident: Incident) -> dict[str, Any]:
    sources = incidents.sources(db, incident.id)
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "stage": reviews.stage(db, incident).value,
        "opened_at": f"{incident.opened_at:%Y-%m-%dT%H:%M:%SZ}",
        "channels": [{"id": source.channel_id, "name": source.channel_name} for source in sources],
    }


def exported(storage: Storage, name: str, form: str, house: House = formats.AS_IT_COMES) -> Iterator[bytes]:
    """A review, piece by piece; raises NoSuchIncident and UnknownFormat before the first.

    The JSON is the whole of what is kept, and calls nobody by a role.
    """
    write = _writer(form.lower())
    with storage.read() as db:
        incident = _named(db, name)
        yield from write(db, TeamId(incident.team_id), incident.id, house)


def edited(settings: Settings, storage: Storage, name: str, markdown: str) -> list[str]:
    """Take in what was changed in a review's exported Markdown: each change with what stood there before.

    Raises NoSuchIncident, and Refused where anything cannot be taken in; nothing is changed then.
    """
    with storage.write() as db:
        incident = _named(db, name)
        turn = Turn(db, datetime.now(UTC), TeamId(incident.team_id), settings.house())
        changes = rewriting.take_in(turn, incident_id=incident.id, markdown=markdown)
    told = [line for what, before, after in changes for line in (f"{what}:", f"- {before}", f"+ {after}")]
    return [*told, f"{len(changes)} {'text was' if len(changes) == 1 else 'texts were'} changed."]


def verified(storage: Storage, name: str) -> tuple[Sequence[str], bool]:
    """What the witness says of an incident, line by line, and whether all is as it was; raises NoSuchIncident."""
    with storage.still() as db:
        incident = _named(db, name)
        verdict = verification.verify(db, incident, storage.books.key)
        return list(verifying.told(incident, verdict)), verdict.is_clean


Writer = Callable[[Session, TeamId, int, House], Iterable[bytes]]


def _writer(form: str) -> Writer:
    if form not in WRITERS:
        raise UnknownFormat(words=form)
    return WRITERS[form]


WRITERS: Mapping[str, Writer] = {
    "json": lambda db, team, incident, _: map(str.encode, formats.json_text(db, team, incident)),
    "md": lambda *what: [formats.markdown(*what).encode()],
    "html": lambda *what: [formats.html(*what).encode()],
    "pdf": lambda *what: [formats.pdf(*what)],
    "csv": lambda *what: [formats.actions_csv(*what).encode()],
}


def _named(db: Session, name: str) -> Incident:
    """By id, channel id, or the name of a channel now or before; of several incidents the newest."""
    wanted = name.removeprefix("#")
    for incident in _every(db):
        sources = incidents.sources(db, incident.id)
        if wanted in {str(incident.id), *(s.channel_id for s in sources), *(s.channel_name for s in sources)}:
            return incident
    for space in people.workspaces(db):
        for number in channels.once_called(db, space.team_id, wanted):
            return incidents.get(db, number)
    raise NoSuchIncident(f"There is no incident “{name}”. `debrief incidents` lists those there are.")


def _every(db: Session) -> list[Incident]:
    return [incident for space in people.workspaces(db) for incident in incidents.every(db, space.team_id)]


# Importing ------------------------------------------------------------------------------


def import_export(settings: Settings, path: Path, *, channel: str, title: str | None, severity: str | None) -> str:
    """Take in one channel of an export, with a progress bar; a sentence of what is here now.

    Raises exports.Unreadable before the database is touched.
    """
    export = exports.read(path)
    found = export.channel(channel)
    messages, persons = list(export.messages(found)), [asdict(person) for person in export.people()]
    with opened(settings) as storage:
        desk = _desk(storage, settings, messages)
        _in_pages(desk, found, persons, messages=messages, title=title or readable(found.name), severity=severity)
        return _told(desk.look(importing.imported, channel_id=found.id))


def _in_pages(
    desk: Desk,
    found: exports.ExportedChannel,
    persons: Sequence[Mapping[str, Any]],
    *,
    messages: Sequence[Mapping[str, Any]],
    title: str,
    severity: str | None,
) -> None:
    with click.progressbar(length=len(messages), label=f"Importing #{found.name}", file=sys.stderr) as bar:
        for start in range(0, len(messages), PAGE):
            page = messages[start : start + PAGE]
            desk.serve(
                importing.import_export,
                channel=asdict(found),
                persons=persons if start == 0 else (),
                messages=page,
                title=title,
                severity=severity,
            )
            bar.update(len(page))


def restore(settings: Settings, path: Path) -> str:
    """Put back a review that was exported as JSON; a sentence of what is here now. Raises NotRestorable."""
    exported = _json(path)
    try:
        return _restore(settings, exported, path.name)
    except (DataError, IntegrityError, OverflowError):
        raise restoring.NotRestorable(f"“{path.name}” holds a value that the database cannot take.") from None


def _restore(settings: Settings, exported: Any, name: str) -> str:
    facts = restoring.read(exported)
    with opened(settings) as storage:
        desk = _desk(storage, settings, [{"team": facts.incident.team_id}], home=restoring.home(facts))
        if desk.team != facts.incident.team_id:
            raise restoring.NotRestorable("This review is of another Slack workspace than this database.")
        document = desk.look(restoring.with_nobody_forgotten, document=exported)
        if desk.look(restoring.is_here, document=document, number=facts.incident.id):
            return f"Incident {facts.incident.id}, “{facts.incident.title}”, is here already. Nothing was changed."
        _put_back(desk, document, facts if document is exported else restoring.read(document), name=name)
    return f"Incident {facts.incident.id}, “{facts.incident.title}”, is here again, as it was exported."


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise restoring.NotRestorable(f"“{path}” cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise restoring.NotRestorable(f"“{path}” is not JSON.") from None


def _put_back(desk: Desk, document: Mapping[str, Any], facts: Facts, *, name: str) -> None:
    """In one turn, which keeps all of it or nothing; the bar moves with the messages, which are most of it."""
    parts = [facts.messages[start : start + PAGE] for start in range(0, len(facts.messages), PAGE)]
    with click.progressbar(parts, label=f"Restoring {name}", file=sys.stderr) as bar:
        desk.serve(restoring.restore, document=document, facts=facts, parts=bar)


def _told(imported: importing.Imported | None) -> str:
    if imported is None:
        return "That channel holds no messages, so there is nothing to import."
    counted = f"{imported.messages} messages and {imported.events} timeline events"
    return f"Incident {imported.incident}, “{imported.title}”, holds {counted}."


def _desk(storage: Storage, settings: Settings, messages: Sequence[Mapping[str, Any]], *, home: str = "") -> Desk:
    team = _team(storage, messages, home=home)
    return Desk(
        storage,
        Renderer(command=settings.command),
        team=team,
        house=settings.house(),
        now=lambda: datetime.now(UTC),
    )


def _team(storage: Storage, messages: Sequence[Mapping[str, Any]], *, home: str) -> TeamId:
    """The workspace this database serves, else the one that the messages name."""
    with storage.write() as db:
        known = people.workspaces(db)
        if known:
            known[0].url = known[0].url or home
            return TeamId(known[0].team_id)
        named = (str(message.get("team") or message.get("user_team") or "") for message in messages)
        team = TeamId(next(filter(None, named), NO_TEAM))
        people.know_workspace(db, team, name="", url=home, bot_user="", bot_id="", mark_key=new_mark_key())
        return team


# The outbox -------------------------------------------------------------------------------


def unsaid(storage: Storage, which: Literal["waiting", "dead"]) -> list[Unsaid]:
    """What waits, or will never be said, and why: ids and places, never the words."""
    ask, now = (outbox.waiting if which == "waiting" else outbox.dead), time_of(storage)
    with storage.read() as db:
        teams = [space.team_id for space in people.workspaces(db)]
        return [row for team in teams for row in told(ask(db, team), now=now, answer=ANSWER)]


def lines(rows: Sequence[Unsaid], which: Literal["waiting", "dead"]) -> list[str]:
    """A row a note, and what to make of them."""
    if not rows:
        return [f"0 {which}."]
    oldest = f"The oldest was written at {min(row.written_at for row in rows):%Y-%m-%d %H:%M} UTC."
    doubtful = sum(row.why is Why.uncertain for row in rows)
    if doubtful:
        oldest += f" {doubtful} may have been said, and will be looked up first."
    return [*map(_line, rows), oldest, f"{len(rows)} {which}."]


def _line(row: Unsaid) -> str:
    what = f"{row.id:>6}  {row.why:<12} {row.kind:<8} {row.channel:<12} {row.written_at:%Y-%m-%d %H:%M}"
    until = f"until {row.until:%Y-%m-%d %H:%M:%S}" if row.until else ""
    behind = f"after {row.behind}" if row.behind else ""
    tries = f"{row.attempts} tries" if row.attempts > 1 else ""
    return f"{what}  {', '.join(filter(None, (row.error, behind, until, tries)))}".rstrip()


def revive(storage: Storage, notes: Sequence[int]) -> list[int]:
    """Let dead notes be said after all; those of them that are no dead notes."""
    now = time_of(storage)
    with storage.write() as db:
        return [note for note in notes if not outbox.revive(db, note, now=now)]


def time_of(storage: Storage) -> datetime:
    """The time by which notes are due: the database's where several programs share one."""
    if not storage.shared:
        return datetime.now(UTC)
    with storage.read() as db:
        return db.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
