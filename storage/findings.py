"""Findings: what a review found, by number, which event each came from, and what was merged into which.

A finding that was dropped or merged keeps its row, its words and its number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from bot.review.likeness import closest
from storage import incidents
from storage.incidents import visible_to
from storage.models import Change, Finding, Incident, Link, Meeting, Review, TimelineEvent

COMES_FROM = "comes_from"
MERGED_INTO = "merged_into"
QUOTES = "quotes"
"""The relation of a finding to the reply whose words it keeps."""
RECURS = "recurs"
"""The relation of a finding to an earlier one, of another review, that is the same again."""
NOT_THE_SAME = "not the same"
"""The line of a finding's history by which it was said to be new: nothing is offered for it again."""
REVIEWS_TO_COMPARE = 10
"""Reviews held or published, of those a person may see, before an earlier finding is offered."""
MOST_COMPARED = 2_000
"""Earlier findings, the newest; comparing more would be felt while somebody waits."""


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
    _relate(db, finding, COMES_FROM, "event", event.id)


def _relate(db: Session, finding: Finding, relation: str, to_kind: str, to_id: int) -> None:
    """Said twice it is there once."""
    _know(db, finding, Ends("finding", finding.id, relation, to_kind, to_id))


@dataclass(frozen=True, slots=True)
class Ends:
    """What a link leads from and to."""

    from_kind: str
    from_id: int
    relation: str
    to_kind: str
    to_id: int


def _know(db: Session, of: Finding | Link, ends: Ends) -> None:
    """Said twice it is there once."""
    if db.scalar(select(Link.id).filter_by(**asdict(ends))) is None:
        db.add(Link(team_id=of.team_id, incident_id=of.incident_id, **asdict(ends)))
        db.flush()


def place(db: Session, finding: Finding, event: TimelineEvent | None) -> None:
    """The finding came from this event, and from no other; from none where it is None."""
    ours = and_(Link.from_kind == "finding", Link.from_id == finding.id, Link.relation == COMES_FROM)
    db.execute(delete(Link).where(ours))
    if event is not None:
        _link(db, finding, event)


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


# Merged ----------------------------------------------------------------------------------


def numbered(db: Session, incident: int, number: int) -> Finding | None:
    """The finding that once got this number, whatever became of it."""
    return db.scalar(select(Finding).where(Finding.incident_id == incident, Finding.number == number))


def merge(db: Session, kept: Finding, other: Finding, *, now: datetime) -> None:
    """The other is part of the one that is kept: what answers it, and the event it came from, belong to that one, too.

    Its own words and links stay, so that it can be taken out again.
    """
    has_event = kept.number in events_behind(db, kept.incident_id)
    for link in _links_of(db, other):
        to_us = link.to_kind == "finding" and link.to_id == other.id
        ends = Ends(
            link.from_kind,
            link.from_id if to_us else kept.id,
            link.relation,
            link.to_kind,
            kept.id if to_us else link.to_id,
        )
        if not (link.relation == MERGED_INTO or (link.relation == COMES_FROM and has_event)):
            _know(db, link, ends)
    _relate(db, other, MERGED_INTO, "finding", kept.id)
    other.dropped_at = now
    db.flush()


def _links_of(db: Session, finding: Finding) -> Sequence[Link]:
    to_it = and_(Link.to_kind == "finding", Link.to_id == finding.id)
    from_it = and_(Link.from_kind == "finding", Link.from_id == finding.id)
    return db.scalars(select(Link).where(or_(to_it, from_it)).order_by(Link.id)).all()


def take_back(db: Session, finding: Finding) -> None:
    """A finding that was dropped or merged stands on its own again."""
    part = and_(Link.from_kind == "finding", Link.from_id == finding.id, Link.relation == MERGED_INTO)
    db.execute(delete(Link).where(part))
    finding.dropped_at = None
    db.flush()


def merged_into(db: Session, finding: Finding) -> Finding | None:
    """The finding that this one is part of now, where it was merged."""
    part = and_(Link.from_kind == "finding", Link.from_id == finding.id, Link.relation == MERGED_INTO)
    found = db.scalar(select(Finding).join(Link, Link.to_id == Finding.id).where(part))
    return (merged_into(db, found) or found) if found else None


def parts(db: Session, finding: Finding) -> Sequence[Finding]:
    """What was merged into a finding, and into that, by number."""
    into = and_(Link.to_kind == "finding", Link.to_id == finding.id, Link.relation == MERGED_INTO)
    direct = db.scalars(select(Finding).join(Link, Link.from_id == Finding.id).where(into)).all()
    return sorted((one for part in direct for one in (part, *parts(db, part))), key=lambda one: one.number)


# The same again -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Earlier:
    """A finding of another review, the title of its incident, and the words that both have."""

    finding: Finding
    title: str
    at: datetime
    shared: Sequence[str] = ()


def like_one_before(db: Session, finding: Finding, user: str) -> Earlier | None:
    """The one earlier finding that this one is most like, among reviews this person may see.

    None while there are fewer than ten reviews, and where somebody has said already whether it is the same.
    """
    if _is_settled(db, finding) or _reviews_held(db, finding.team_id, user) < REVIEWS_TO_COMPARE:
        return None
    rows = db.execute(_elsewhere(finding, user).order_by(Finding.id.desc()).limit(MOST_COMPARED))
    earlier = {row.id: Earlier(row, incident.title, incident.opened_at) for row, incident in rows}
    found = closest(finding.text, [(number, one.finding.text) for number, one in earlier.items()])
    if found is None:
        return None
    like = earlier[found.key]
    return Earlier(like.finding, like.title, like.at, found.shared)


def earlier_seen(db: Session, finding: Finding, earlier: int, user: str) -> Finding | None:
    """The finding of another review of this row id, where this person may see it."""
    found = db.execute(_elsewhere(finding, user).where(Finding.id == earlier)).first()
    return found[0] if found else None


def recurs(db: Session, finding: Finding, earlier: Finding) -> None:
    _relate(db, finding, RECURS, "finding", earlier.id)


def seen_before(db: Session, finding: Finding, user: str) -> Sequence[Earlier]:
    """The earlier findings it was said to be the same as, of reviews this person may see."""
    again = and_(Link.from_kind == "finding", Link.from_id == finding.id, Link.relation == RECURS)
    rows = db.execute(_elsewhere(finding, user).join(Link, Link.to_id == Finding.id).where(again).order_by(Finding.id))
    return [Earlier(row, incident.title, incident.opened_at) for row, incident in rows]


def _elsewhere(finding: Finding, user: str) -> Select[Finding, Incident]:
    """Findings of other reviews; what was dropped there is not shown here."""
    return (
        select(Finding, Incident)
        .join(Incident, Incident.id == Finding.incident_id)
        .where(
            Finding.team_id == finding.team_id,
            Finding.incident_id != finding.incident_id,
            Finding.dropped_at.is_(None),
            visible_to(user),
        )
    )


def _is_settled(db: Session, finding: Finding) -> bool:
    said = and_(Change.subject == "finding", Change.subject_id == finding.id, Change.what.in_((RECURS, NOT_THE_SAME)))
    return db.scalar(select(Change.id).where(said).limit(1)) is not None


def _reviews_held(db: Session, team: str, user: str) -> int:
    of_it = (Meeting.review_id == Review.id, Meeting.apart.is_(None))
    held = exists(select(Meeting.id).where(*of_it, Meeting.ended_at.is_not(None)))
    over = or_(Review.published_at.is_not(None), held)
    counted = select(func.count(Review.id)).join(Incident, Incident.id == Review.incident_id)
    return db.execute(counted.where(Incident.team_id == team, over, visible_to(user))).scalar_one()
