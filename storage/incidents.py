"""Incidents: where they are spoken, who may see them, who holds which role, when what happened."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from bot.review.heard import moment_of
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role, Roles
from bot.review.refusal import NoIncidentHere
from storage.models import (
    Attendee,
    Change,
    Channel,
    Incident,
    Meeting,
    Membership,
    Moment,
    Person,
    Review,
    RoleHeld,
    Source,
    Workspace,
)


@dataclass(frozen=True, slots=True)
class Where:
    """Which incident is meant: the one named, else the one of this place."""

    place: Place
    incident: int | None = None


# Seeing ----------------------------------------------------------------------------

# Made once: to make them took most of the time of every question, and each stays inside a subquery of its own.
A_PLACE, AN_INMATE, A_PERSON = aliased(Source), aliased(Membership), aliased(Person)


def visible_to(user: str | SQLColumnExpression[Any] | None, *, team: Any = Incident.team_id) -> ColumnElement[bool]:
    """The incidents a person may see now; a person, or those in a column of a query.

    A query over many incidents of one `team` names it: who the person is in it is looked up once then.

    1. A public one: whoever Slack has called a person of this workspace, and no guest.
    2. Any: who is in one of its channels, where none of the others is closed to them. Private channels are closed to
       all who are not in them; to guests, to people of other workspaces and to the unknown, public ones are, too.
    3. Nobody who is gone.
    """
    place, inmate, colleague = A_PLACE, AN_INMATE, _is_colleague(user, team)
    inside = exists(
        select(inmate.id)
        .where(
            inmate.team_id == place.team_id,
            inmate.channel_id == place.channel_id,
            inmate.user_id == user,
            inmate.left_at.is_(None),
        )
        .correlate_except(inmate)
    )
    of_it = and_(place.incident_id == Incident.id, place.team_id == Incident.team_id)
    open_to_all = exists(
        select(Channel.channel_id).where(
            Channel.team_id == place.team_id,
            Channel.channel_id == place.channel_id,
            Channel.private_since.is_(None),
        )
    )
    somewhere = exists(select(place.id).where(of_it, inside).correlate_except(place))
    shut_out = exists(select(place.id).where(of_it, ~inside, ~and_(colleague, open_to_all)).correlate_except(place))
    public = and_(Incident.private_since.is_(None), colleague)
    return or_(public, and_(somewhere, ~shut_out, ~_is_gone(user, team)))


def _is_colleague(user: str | SQLColumnExpression[Any] | None, team: Any) -> ColumnElement[bool]:
    one = A_PERSON
    known = (one.team_id == team, one.user_id == user, one.read_at.is_not(None))
    nothing_else = (one.guest_since.is_(None), one.bot_since.is_(None), one.gone_since.is_(None))
    return exists(select(one.user_id).where(*known, *nothing_else).correlate_except(one))


def _is_gone(user: str | SQLColumnExpression[Any] | None, team: Any = Incident.team_id) -> ColumnElement[bool]:
    one = A_PERSON
    gone = (one.team_id == team, one.user_id == user, one.gone_since.is_not(None))
    return exists(select(one.user_id).where(*gone).correlate_except(one))


def at(db: Session, team: str, where: Where, by: str | None) -> Incident:
    """The incident meant by somebody who may see it; a hidden one and none at all raise NoIncidentHere alike.

    Whoever speaks in the one public channel of an incident sees it, whatever is known of them: they are in it.
    """
    query = _named(where.incident) if where.incident else _spoken_in(team, where.place)
    seen = or_(visible_to(by), and_(_shown_in(where.place), ~_is_gone(by)))
    found = db.scalar(select(Incident).where(Incident.team_id == team, seen, query).order_by(Incident.id.desc()))
    if found is None:
        raise NoIncidentHere
    return found


def _shown_in(place: Place) -> ColumnElement[bool]:
    """Public, and spoken in no other channel than this one."""
    here = select(Source.channel_id).where(Source.incident_id == Incident.id).correlate(Incident)
    only_here = and_(
        exists(here.where(Source.channel_id == place.channel)), ~exists(here.where(Source.channel_id != place.channel))
    )
    return and_(Incident.private_since.is_(None), only_here)


def _named(incident: int) -> ColumnElement[bool]:
    return Incident.id == incident


def _spoken_in(team: str, place: Place) -> ColumnElement[bool]:
    """Spoken in this thread or channel now, or met about in it; else the latest that was spoken here."""
    # A thread that is an incident of its own comes first: in its channel's thread, the thread is meant.
    threads = {place.thread, ""}
    here = and_(Source.team_id == team, Source.channel_id == place.channel, Source.thread_ts.in_(threads))
    spoken = select(Source.incident_id).where(here).order_by(Source.thread_ts.desc(), Source.id.desc()).limit(1)
    now, before = spoken.where(Source.until_at.is_(None)), spoken.where(Source.until_at.is_not(None))
    sits_in = func.coalesce(Meeting.thread_ts, "")
    meets_here = and_(Meeting.team_id == team, Meeting.channel_id == place.channel, sits_in.in_(threads))
    met = (
        select(Review.incident_id)
        .join(Meeting, Meeting.review_id == Review.id)
        .where(meets_here, Meeting.cancelled_at.is_(None), Meeting.ended_at.is_(None))
        .order_by(sits_in.desc(), Meeting.id.desc())
        .limit(1)
    )
    return Incident.id == func.coalesce(now.scalar_subquery(), met.scalar_subquery(), before.scalar_subquery())


def by_number(db: Session, team: str, incident: int, user: str | None) -> Incident | None:
    """An incident a person may see."""
    return db.scalar(select(Incident).where(Incident.team_id == team, Incident.id == incident, visible_to(user)))


def seen_among(db: Session, team: str, numbers: Collection[int], user: str) -> frozenset[int]:
    """Those of these incidents that a person may see."""
    them = and_(Incident.team_id == team, Incident.id.in_(numbers))
    return frozenset(db.scalars(select(Incident.id).where(them, visible_to(user))))


def seen_by_each(db: Session, team: str, pairs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of these incidents, each with a person, that this person may see."""
    if not pairs:
        return set()
    numbers, users = {number for number, _ in pairs}, {user for _, user in pairs}
    them = (Incident.team_id == team, Incident.id.in_(numbers), Person.user_id.in_(users))
    asked = tuple_(Incident.id, Person.user_id).in_(list(pairs))
    rows = db.execute(
        select(Incident.id, Person.user_id)
        .join(Person, Person.team_id == Incident.team_id)
        .where(*them, asked, visible_to(Person.user_id))
    )
    return {(number, user) for number, user in rows}


def mine(db: Session, team: str, user: str, *, at_most: int) -> Sequence[Incident]:
    """The incidents a person has a role in, is invited to the review of, or is in the channel of; newest first."""
    held = select(RoleHeld.incident_id).where(RoleHeld.user_id == user, RoleHeld.until.is_(None))
    invited = (
        select(Review.incident_id)
        .join(Meeting, Meeting.review_id == Review.id)
        .join(Attendee, Attendee.meeting_id == Meeting.id)
        .where(Attendee.user_id == user, Attendee.uninvited_at.is_(None), Meeting.cancelled_at.is_(None))
    )
    inside = (
        select(Source.incident_id)
        .join(Membership, and_(Membership.team_id == Source.team_id, Membership.channel_id == Source.channel_id))
        .where(Membership.user_id == user, Membership.left_at.is_(None))
    )
    is_mine = or_(Incident.id.in_(held), Incident.id.in_(invited), Incident.id.in_(inside))
    newest = select(Incident).where(Incident.team_id == team, visible_to(user), is_mine).order_by(Incident.id.desc())
    return db.scalars(newest.limit(at_most)).all()


def title_for(db: Session, team: str, incident: Incident, user: str | None) -> str:
    """Its title for those who may see it; a hidden one has none to show."""
    return incident.title if by_number(db, team, incident.id, user) else "another incident"


def every(db: Session, team: str) -> Sequence[Incident]:
    """Every incident there is, for the person at the machine; newest first."""
    return db.scalars(select(Incident).where(Incident.team_id == team).order_by(Incident.id.desc())).all()


def get(db: Session, incident: int) -> Incident:
    """An incident by its row id, for work that no person asked for."""
    return db.get_one(Incident, incident)


# Places -----------------------------------------------------------------------------


def sources(db: Session, incident: int) -> Sequence[Source]:
    return db.scalars(select(Source).where(Source.incident_id == incident).order_by(Source.id)).all()


def main_place(db: Session, incident: int) -> Place:
    """Where the incident is spoken to: its first source."""
    return main_places(db, [incident])[incident]


def main_places(db: Session, numbers: Collection[int]) -> Mapping[int, Place]:
    """That of each of these incidents."""
    # The last one first, so that the first one stays.
    rows = db.scalars(select(Source).where(Source.incident_id.in_(numbers)).order_by(Source.id.desc()))
    return {row.incident_id: Place(ChannelId(row.channel_id), row.thread_ts) for row in rows}


def source_of_message(db: Session, team: str, channel: str, *, thread: str | None, ts: str) -> Source | None:
    """The open source in whose time a message was said; a thread's own comes before its channel's."""
    threads = {thread or ts, ""}
    return db.scalar(
        select(Source)
        .where(
            Source.team_id == team,
            Source.channel_id == channel,
            Source.thread_ts.in_(threads),
            Source.from_at <= moment_of(ts),
            Source.until_at.is_(None),
        )
        .order_by(Source.thread_ts.desc())
        .limit(1)
    )


def spoken_of(db: Session, team: str, place: Place) -> Incident | None:
    """The incident that is listened to in exactly this place now, whoever asks."""
    return db.scalar(
        select(Incident)
        .join(Source, Source.incident_id == Incident.id)
        .where(
            Source.team_id == team,
            Source.channel_id == place.channel,
            Source.thread_ts == place.thread,
            Source.until_at.is_(None),
        )
    )


def last_spoken_in(db: Session, team: str, place: Place) -> Incident | None:
    """The incident that a place means, whoever asks: spoken of there now, met about there, or spoken of before."""
    return db.scalar(select(Incident).where(Incident.team_id == team, _spoken_in(team, place)))


def was_ever_spoken_in(db: Session, team: str, channel: str) -> bool:
    """Whether this channel as a whole is or was the place of an incident."""
    whole = select(Source.id).where(Source.team_id == team, Source.channel_id == channel, Source.thread_ts == "")
    return db.scalar(whole.limit(1)) is not None


def begin(
    db: Session, team: str, title: str, *, severity: str | None, by: str | None, private: bool, now: datetime
) -> Incident:
    """A new incident; its places, its review and its lead follow."""
    incident = Incident(
        team_id=team,
        title=title,
        severity=severity,
        opened_at=now,
        opened_by=by,
        private_since=now if private else None,
    )
    db.add(incident)
    db.flush()
    return incident


def listen(db: Session, incident: Incident, place: Place, *, name: str, since: datetime) -> Source:
    """From now on this place belongs to the incident, and so does what was said in it since a moment."""
    source = Source(
        team_id=incident.team_id,
        incident_id=incident.id,
        channel_id=place.channel,
        channel_name=name,
        thread_ts=place.thread,
        from_at=since,
        fetch_from=since,
    )
    db.add(source)
    db.flush()
    return source


def stop_listening(db: Session, incident: int, *, now: datetime) -> None:
    """What is said in the incident's places from now on is not kept; another incident may be opened in them."""
    db.execute(update(Source).where(Source.incident_id == incident, Source.until_at.is_(None)).values(until_at=now))


def listen_again(db: Session, incident: int) -> None:
    """Listen to the incident's places again; what was said meanwhile is fetched from their history."""
    for source in sources(db, incident):
        if source.until_at is not None:
            source.fetch_from = source.until_at if source.fetched_at else source.fetch_from
            source.until_at = source.fetched_at = None
    db.flush()


# Moments ----------------------------------------------------------------------------


def moments(db: Session, incident: int) -> dict[str, Moment]:
    """The moments that hold now by name; a cleared one is absent."""
    rows = db.scalars(select(Moment).where(Moment.incident_id == incident).order_by(Moment.id))
    latest = {row.name: row for row in rows}
    return {name: row for name, row in latest.items() if row.at is not None}


def moment(db: Session, incident: int, name: str) -> datetime | None:
    """When that moment was, if it is set."""
    row = moments(db, incident).get(name)
    return row.at if row else None


def set_moment(
    db: Session, incident: Incident, name: str, at_moment: datetime | None, *, by: str | None, how: str, now: datetime
) -> None:
    """Set a moment, or clear it with None; what held before stays as history."""
    db.add(
        Moment(
            team_id=incident.team_id,
            incident_id=incident.id,
            name=name,
            at=at_moment,
            by=by,
            how=how,
            recorded_at=now,
        )
    )
    db.flush()


# Roles ------------------------------------------------------------------------------


def roles(db: Session, incident: int) -> Roles:
    """Who holds which role now."""
    return roles_in(db, [incident])[incident]


def roles_in(db: Session, numbers: Collection[int]) -> Mapping[int, Roles]:
    """Who holds which role now in each of these incidents."""
    held: dict[int, dict[str, UserId]] = {number: {} for number in numbers}
    now = and_(RoleHeld.incident_id.in_(numbers), RoleHeld.until.is_(None))
    for row in db.scalars(select(RoleHeld).where(now)):
        held[row.incident_id][row.role] = UserId(row.user_id)
    return {number: Roles(**of_it) for number, of_it in held.items()}


def give_role(db: Session, incident: Incident, role: Role, user: str, *, by: str | None, now: datetime) -> None:
    """Give a role to a person, from now on; whoever held it, held it until now."""
    _hold(db, incident)
    db.execute(
        update(RoleHeld)
        .where(RoleHeld.incident_id == incident.id, RoleHeld.role == role, RoleHeld.until.is_(None))
        .values(until=now)
    )
    db.add(
        RoleHeld(
            team_id=incident.team_id,
            incident_id=incident.id,
            role=role.value,
            user_id=user,
            since=now,
            given_by=by,
        )
    )
    db.flush()


def first_to_act(db: Session, incident: Incident, by: str, *, now: datetime) -> bool:
    """Where a program opened an incident, the first person to act leads it; whether that happened just now."""
    if roles(db, incident.id).lead:
        return False
    _hold(db, incident)
    if roles(db, incident.id).lead:
        return False
    give_role(db, incident, Role.lead, by, by=by, now=now)
    return True


def _hold(db: Session, incident: Incident) -> None:
    """Hold the incident until the turn ends: of two who give a role at once, one waits and then looks."""
    db.execute(select(Incident.id).where(Incident.id == incident.id).with_for_update())


def holding(db: Session, incident: int, role: Role) -> RoleHeld | None:
    """The row of whoever holds a role now."""
    return db.scalar(
        select(RoleHeld).where(RoleHeld.incident_id == incident, RoleHeld.role == role, RoleHeld.until.is_(None))
    )


def last_held(db: Session, team: str, role: Role) -> dict[str, datetime]:
    """When each person last took a role, in any incident of the workspace."""
    rows = db.execute(
        select(RoleHeld.user_id, func.max(RoleHeld.since))
        .where(RoleHeld.team_id == team, RoleHeld.role == role)
        .group_by(RoleHeld.user_id)
    )
    return dict(rows.all())


# Numbers and history -------------------------------------------------------------------


def next_event_number(db: Session, incident: int) -> int:
    """Numbers are given once and never reused; two turns at once get two numbers."""
    given = update(Incident).where(Incident.id == incident).values(events_numbered=Incident.events_numbered + 1)
    return db.execute(given.returning(Incident.events_numbered)).scalar_one()


def next_finding_number(db: Session, incident: int) -> int:
    given = update(Incident).where(Incident.id == incident).values(findings_numbered=Incident.findings_numbered + 1)
    return db.execute(given.returning(Incident.findings_numbered)).scalar_one()


def next_action_number(db: Session, team: str) -> int:
    given = update(Workspace).where(Workspace.team_id == team).values(actions_numbered=Workspace.actions_numbered + 1)
    return db.execute(given.returning(Workspace.actions_numbered)).scalar_one()


def record_change(
    db: Session,
    incident: Incident,
    subject: str,
    subject_id: int,
    *,
    what: str,
    before: str | None,
    after: str | None,
    by: str | None,
    now: datetime,
) -> None:
    """One line of history of an incident, event, finding, action, review, meeting or message."""
    db.add(
        Change(
            team_id=incident.team_id,
            incident_id=incident.id,
            subject=subject,
            subject_id=subject_id,
            what=what,
            before=before,
            after=after,
            by=by,
            at=now,
        )
    )


def changes(db: Session, incident: int, subject: str) -> Sequence[Change]:
    """The history of all things of one sort in an incident, oldest first."""
    return db.scalars(
        select(Change).where(Change.incident_id == incident, Change.subject == subject).order_by(Change.id)
    ).all()
