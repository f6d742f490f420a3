"""A desk without Slack: what the command line does with the database alone."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from bot import archiving, exports, reporting
from bot.desk import Desk
from bot.render import Renderer
from bot.review.incident import TeamId
from bot.review.refusal import NotAvailableFormat, UnknownFormat
from bot.settings import Settings
from storage import incidents, people, reviews
from storage.models import Incident
from storage.session import Storage, new_mark_key, upgrade

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
    storage = Storage(settings.url)
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


def exported(storage: Storage, name: str, form: str) -> str:
    """A review in a format; raises NoSuchIncident, UnknownFormat and NotAvailableFormat."""
    write = _writer(form.lower())
    with storage.read() as db:
        incident = _named(db, name)
        return write(db, incident)


def _writer(form: str) -> Callable[[Session, Incident], str]:
    if form in {"html", "pdf"}:
        raise NotAvailableFormat(words=form)
    writers: dict[str, Callable[[Session, Incident], str]] = {"json": _as_json, "md": _as_markdown}
    if form not in writers:
        raise UnknownFormat(words=form)
    return writers[form]


def _as_json(db: Session, incident: Incident) -> str:
    document = reporting.document(db, TeamId(incident.team_id), incident.id)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _as_markdown(db: Session, incident: Incident) -> str:
    return reporting.markdown(db, TeamId(incident.team_id), incident.id)


def _named(db: Session, name: str) -> Incident:
    """By id, channel name or channel id; a channel that had several incidents means its newest."""
    wanted = name.removeprefix("#")
    for incident in _every(db):
        sources = incidents.sources(db, incident.id)
        if wanted in {str(incident.id), *(s.channel_id for s in sources), *(s.channel_name for s in sources)}:
            return incident
    raise NoSuchIncident(f"There is no incident {name}. `debrief incidents` lists those there are.")


def _every(db: Session) -> list[Incident]:
    return [incident for space in people.workspaces(db) for incident in incidents.every(db, space.team_id)]


# Importing ------------------------------------------------------------------------------


def import_export(storage: Storage, settings: Settings, path: Path, *, channel: str, **chosen: str | None) -> str:
    """Take in one channel of an export; what was done, as a sentence. Raises exports.Unreadable."""
    export = exports.read(path)
    found = export.channel(channel)
    count, messages = export.count(found), export.messages(found)
    desk = _desk(storage, settings, _team(storage, export, found))
    return archiving_in_pages(desk, export, found, messages=messages, count=count, chosen=chosen)
