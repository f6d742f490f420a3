"""Findings: what a review found, by number, and which event each came from."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from storage import incidents
from storage.models import Finding, Incident, Link, TimelineEvent

COMES_FROM = "comes_from"


def add(
    db: Session,
    incident: Incident,
    *,
    kind: FindingKind,
    sort: str | None,
    text: str,
    by: str,
    event: TimelineEvent | None,
    now: datetime,
) -> Finding:
    """A finding with the next number, linked to the event it came from."""
    finding = Finding(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=incidents.next_finding_number(db, incident.id),
        kind=kind.value,
        sort=sort,
        text=text,
        by=by,
        at=now,
    )
    db.add(finding)
    db.flush()
    if event is not None:
        _link(db, finding, event)
    return finding


def _link(db: Session, finding: Finding, event: TimelineEvent) -> None:
    db.add(
        Link(
            team_id=finding.team_id,
            incident_id=finding.incident_id,
            from_kind="finding",
            from_id=finding.id,
            relation=COMES_FROM,
            to_kind="event",
            to_id=event.id,
        )
    )
    db.flush()


def of_incident(db: Session, incident: int) -> Sequence[Finding]:
    """The findings of an incident by number; dropped ones are left out."""
    return db.scalars(
        select(Finding).where(Finding.incident_id == incident, Finding.dropped_at.is_(None)).order_by(Finding.number)
    ).all()


def by_kind(db: Session, incident: int) -> Mapping[FindingKind, Sequence[Finding]]:
    """The findings of each kind that has any, by number; the kinds in the order a review speaks of them."""
    found = of_incident(db, incident)
    grouped = {kind: [finding for finding in found if finding.kind == kind.value] for kind in FindingKind}
    return {kind: of_kind for kind, of_kind in grouped.items() if of_kind}


def find(db: Session, incident: int, number: int) -> Finding | None:
    """The finding of this number."""
    return db.scalar(
        select(Finding).where(Finding.incident_id == incident, Finding.number == number, Finding.dropped_at.is_(None))
    )


def events_behind(db: Session, incident: int) -> Mapping[int, int]:
    """The number of the event each finding came from, by the finding's number, for those that came from one."""
    came_from = and_(
        Link.from_kind == "finding",
        Link.from_id == Finding.id,
        Link.relation == COMES_FROM,
        Link.to_kind == "event",
    )
    rows = db.execute(
        select(Finding.number, TimelineEvent.number)
        .join(Link, came_from)
        .join(TimelineEvent, TimelineEvent.id == Link.to_id)
        .where(Finding.incident_id == incident)
        .order_by(Finding.number, Link.id)
    )
    return dict(rows.all())
