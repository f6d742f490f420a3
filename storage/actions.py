"""Actions: who promised what, what is still open, which reminders were said."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from bot.review.follow_up import (
    CHECKED_AFTER,
    STILL_WORTH_ASKING,
    ActionState,
    Horizon,
    Shown,
    Worked,
    next_steps,
    soaks_until,
)
from bot.review.meeting_time import DaysOffIn, weekends_alone
from bot.review.refusal import NoIncidentHere
from storage import incidents, people
from storage.findings import COMES_FROM
from storage.incidents import Where, visible_to
from storage.models import Action, Change, Finding, Incident, Link, Meeting, Reaction, Review, Rung, TimelineEvent
from storage.rows import insert_new

SETTLED = ("done", "declined")
"""States in which nothing is owed any more."""
ANSWERS = "answers"
"""The relation of an action to a finding."""
BY_EMOJI = "proposed by emoji"
"""How history calls the beginning of an action that an emoji made."""


# One action ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed; `channel_id` and `ts` name the message it came from."""

    text: str
    owner: str
    due: date
    horizon: str
    category: str | None = None
    priority: str | None = None
    team: str | None = None
    second_order: str | None = None
    channel_id: str | None = None
    ts: str | None = None


def propose(db: Session, incident: Incident, proposal: Proposal, *, by: str, now: datetime) -> Action:
    """A new proposal with the workspace's next number."""
    action = Action(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=incidents.next_action_number(db, incident.team_id),
        proposed_by=by,
        proposed_at=now,
        **asdict(proposal),
    )
    db.add(action)
    db.flush()
    return action


def propose_again(action: Action, proposal: Proposal, *, by: str, now: datetime) -> None:
    """A withdrawn proposal comes back under its number, in its new wording."""
    action.withdrawn_at, action.proposed_by, action.proposed_at = None, by, now
    for name, value in asdict(proposal).items():
        setattr(action, name, value)


def answer(db: Session, action: Action, found: Collection[Finding]) -> None:
    """Let the action answer these findings, and no others."""
    db.execute(delete(Link).where(Link.from_kind == "action", Link.from_id == action.id, Link.relation == ANSWERS))
    db.add_all(_link(action, ANSWERS, "finding", finding.id) for finding in found)
    db.flush()


def came_up_at(db: Session, action: Action, event: TimelineEvent) -> None:
    """Link the action to the event at which somebody thought of it."""
    db.add(_link(action, COMES_FROM, "event", event.id))
    db.flush()


def _link(action: Action, relation: str, to_kind: str, to_id: int) -> Link:
    return Link(
        team_id=action.team_id,
        incident_id=action.incident_id,
        from_kind="action",
        from_id=action.id,
        relation=relation,
        to_kind=to_kind,
        to_id=to_id,
    )


def event_behind(db: Session, action: Action) -> int | None:
    """The number of the event at which it came up."""
    came_from = and_(Link.relation == COMES_FROM, Link.to_kind == "event", Link.to_id == TimelineEvent.id)
    query = select(TimelineEvent.number).join(Link, came_from)
    return db.scalar(query.where(Link.from_kind == "action", Link.from_id == action.id).limit(1))


def by_number(db: Session, team: str, number: int, user: str | None) -> tuple[Action, Incident] | None:
    """The action of this number, where this person may see its incident."""
    return _first(db, _seen(team, user).where(Action.number == number, Action.withdrawn_at.is_(None)))


def from_message(db: Session, incident: int, channel: str, ts: str) -> Action | None:
    """What was proposed from this message, withdrawn or not."""
    return db.scalar(
        select(Action).where(Action.incident_id == incident, Action.channel_id == channel, Action.ts == ts)
    )


# Lists ---------------------------------------------------------------------------------


def of_incident(db: Session, incident: int) -> Sequence[Action]:
    """Everything proposed in an incident and not withdrawn, by number."""
    return db.scalars(
        select(Action).where(Action.incident_id == incident, Action.withdrawn_at.is_(None)).order_by(Action.number)
    ).all()


def seen_by(db: Session, team: str, user: str | None) -> list[tuple[Action, Incident]]:
    """Every action of the incidents this person may see, by due day."""
    query = _seen(team, user).where(Action.withdrawn_at.is_(None)).order_by(Action.due.nulls_last(), Action.number)
    return [(action, incident) for action, incident in db.execute(query)]


def open_of(db: Session, team: str, user: str) -> list[tuple[Action, Incident]]:
    """What this person still owes, of the incidents they may see, by due day."""
    query = (
        _seen(team, user)
        .where(Action.owner == user, Action.withdrawn_at.is_(None), Action.state.not_in(SETTLED))
        .order_by(Action.due.nulls_last(), Action.number)
    )
    return [(action, incident) for action, incident in db.execute(query)]


def still_open(db: Session, team: str) -> list[tuple[Action, Incident]]:
    """Everything still owed by anybody, for the clock; by owner and due day. Cancelled incidents owe nothing."""
    query = (
        select(Action, Incident)
        .join(Incident, Incident.id == Action.incident_id)
        .join(Review, Review.incident_id == Incident.id)
        .where(
            Action.team_id == team,
            Action.withdrawn_at.is_(None),
            Action.state.not_in(SETTLED),
            Review.cancelled_at.is_(None),
        )
        .order_by(Action.owner.nulls_last(), Action.due.nulls_last(), Action.number)
    )
    return [(action, incident) for action, incident in db.execute(query)]


def to_be_checked(db: Session, team: str, *, now: datetime) -> list[tuple[Action, Incident]]:
    """What was done so long ago that its owner is asked whether it worked, and has not said so; for the clock."""
    first, last = CHECKED_AFTER[0], CHECKED_AFTER[-1] + STILL_WORTH_ASKING
    day = timedelta(days=1)  # The owner's days decide, and theirs may be a day ahead.
    query = (
        select(Action, Incident)
        .join(Incident, Incident.id == Action.incident_id)
        .join(Review, Review.incident_id == Incident.id)
        .where(
            Action.team_id == team,
            Action.withdrawn_at.is_(None),
            Action.state == ActionState.done,
            Action.done_at.between(now - last - day, now - first + day),
            or_(Action.worked.is_(None), Action.worked == Worked.unsure),
            Review.cancelled_at.is_(None),
        )
        .order_by(Action.owner.nulls_last(), Action.number)
    )
    return [(action, incident) for action, incident in db.execute(query)]


def answers(db: Session, incident: int) -> dict[int, list[int]]:
    """Which findings each action of an incident answers: finding numbers by the action's row id."""
    rows = db.execute(
        select(Link.from_id, Finding.number)
        .join(Finding, Finding.id == Link.to_id)
        .where(
            Link.incident_id == incident,
            Link.from_kind == "action",
            Link.relation == ANSWERS,
            Link.to_kind == "finding",
        )
        .order_by(Link.from_id, Finding.number)
    )
    found: dict[int, list[int]] = {}
    for action, number in rows:
        found.setdefault(action, []).append(number)
    return found


def answered(db: Session, action: Action) -> list[tuple[int, str]]:
    """The findings that an action answers, number and text."""
    answering = and_(Link.relation == ANSWERS, Link.to_kind == "finding", Link.to_id == Finding.id)
    query = select(Finding.number, Finding.text).join(Link, answering)
    mine = and_(Link.from_kind == "action", Link.from_id == action.id, Finding.dropped_at.is_(None))
    return [(number, text) for number, text in db.execute(query.where(mine).order_by(Finding.number))]


def soaks_from(db: Session, action: Action, *, now: datetime) -> datetime:
    """When its pause begins: when the meeting that spoke of it ends, or will end; without one when it was proposed."""
    query = select(Meeting).join(Review, Review.id == Meeting.review_id)
    of_everybody = (Review.incident_id == action.incident_id, Meeting.apart.is_(None))
    meetings = db.scalars(query.where(*of_everybody, Meeting.cancelled_at.is_(None)))
    ends = [end for end in (_ends_at(meeting, now) for meeting in meetings) if end and end >= action.proposed_at]
    return min(ends, default=action.proposed_at)


def _ends_at(meeting: Meeting, now: datetime) -> datetime | None:
    """None for a meeting whose hour has passed without anybody opening it, or that has no hour."""
    if meeting.ended_at:
        return meeting.ended_at
    if meeting.opened_at:
        return max(now, meeting.opened_at + timedelta(minutes=meeting.minutes))
    if not meeting.scheduled_at or not meeting.meets_at:
        return None
    planned = meeting.meets_at + timedelta(minutes=meeting.minutes)
    return planned if planned > now else None


def incident_at(db: Session, team: str, where: Where | None, by: str) -> Incident | None:
    """The incident of this place where there is one that this person may see: lists reach wider elsewhere."""
    with suppress(NoIncidentHere):
        return incidents.at(db, team, where, by) if where else None
    return None


def unreachable(db: Session, team: str, incident: Incident, owner: str) -> str | None:
    """Why an owner cannot be reminded: `gone` from the workspace, or `outside` of a private incident."""
    if not people.is_one_of_us(db, team, owner):
        return "gone"
    return None if incidents.by_number(db, team, incident.id, owner) else "outside"


def as_shown(
    db: Session,
    action: Action,
    incident: Incident,
    *,
    to: str,
    now: datetime,
    soak: int,
    days_off: DaysOffIn = weekends_alone,
) -> Shown:
    """An action as a person sees it; days are its owner's, and the next steps are offered to its owner alone.

    A proposal soaks for so many working days.
    """
    zone = ZoneInfo(people.zone(db, action.team_id, action.owner))
    today = now.astimezone(zone).date()
    days = (today - action.due).days if action.due else 0
    state, is_proposed = ActionState(action.state), action.state == ActionState.proposed
    off = days_off(zone.key, today)
    until = soaks_until(soaks_from(db, action, now=now), zone, days=soak, off=off) if is_proposed else today
    return Shown(
        number=action.number,
        text=action.text,
        owner=action.owner,
        due=action.due,
        late=max(0, days),
        left=max(0, -days),
        state=state,
        horizon=Horizon(action.horizon),
        priority=action.priority,
        category=action.category,
        team=action.team,
        second_order=action.second_order,
        reason=action.reason,
        evidence=action.evidence,
        verified_by=action.verified_by,
        worked=Worked(action.worked) if action.worked else None,
        incident=incident.id,
        title=incident.title,
        steps=next_steps(state, waits_until=until, today=today) if to == action.owner else (),
        answers=tuple(answered(db, action)) if is_proposed else (),
    )


def _seen(team: str, user: str | None) -> Select[Action, Incident]:
    return (
        select(Action, Incident)
        .join(Incident, Incident.id == Action.incident_id)
        .where(Action.team_id == team, visible_to(user))
    )


def _first(db: Session, query: Select[Action, Incident]) -> tuple[Action, Incident] | None:
    row = db.execute(query).first()
    return (row[0], row[1]) if row else None


# The emoji that proposes ---------------------------------------------------------------


def reactions_held(db: Session, team: str, channel: str, ts: str) -> Sequence[Reaction]:
    """The emoji that people hold on a message now, the first one first."""
    return db.scalars(
        select(Reaction)
        .where(
            Reaction.team_id == team,
            Reaction.channel_id == channel,
            Reaction.ts == ts,
            Reaction.removed_at.is_(None),
        )
        .order_by(Reaction.changed_ts, Reaction.id)
    ).all()


def came_by_emoji(db: Session, action: Action) -> bool:
    """Whether it was an emoji that proposed it, and not a form."""
    asked = _history(action.team_id).where(Change.subject_id == action.id, Change.what == BY_EMOJI)
    return db.scalar(asked.limit(1)) is not None


def _history(team: str) -> Select[Change]:
    return select(Change).where(Change.team_id == team, Change.subject == "action")


# The ladder ------------------------------------------------------------------------------


def rungs(db: Session, actions: Collection[int]) -> dict[int, dict[str, datetime]]:
    """The keys of the rungs that were said, and when, by the action's row id."""
    said: dict[int, dict[str, datetime]] = {action: {} for action in actions}
    asked = select(Rung.action_id, Rung.key, Rung.said_at).where(Rung.action_id.in_(actions))
    for action, key, said_at in db.execute(asked):
        said[action][key] = said_at
    return said


def climb(db: Session, action: Action, key: str, *, now: datetime) -> bool:
    """Remember that this rung is said; False when somebody was faster."""
    rung = insert_new(db, Rung).values(team_id=action.team_id, action_id=action.id, key=key, said_at=now)
    return db.execute(rung.returning(Rung.id)).first() is not None


def handed_over(db: Session, team: str, actions: Collection[int]) -> dict[int, Change]:
    """The latest change of owner of each action that has one, by the action's row id."""
    query = _history(team).where(Change.subject_id.in_(actions), Change.what == "owner").order_by(Change.id)
    return {change.subject_id: change for change in db.scalars(query)}


def touched(db: Session, team: str, actions: Collection[int]) -> dict[int, datetime]:
    """When somebody last changed each action, by the action's row id."""
    latest = (
        select(Change.subject_id, func.max(Change.at))
        .where(and_(Change.team_id == team, Change.subject == "action", Change.subject_id.in_(actions)))
        .group_by(Change.subject_id)
    )
    return {row[0]: row[1] for row in db.execute(latest)}
