"""The written review: draft it, approve it, publish it, read it, close it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.formats import written
from bot.printing import Press
from bot.review import report as facts_of
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Stage, Who, require
from bot.review.refusal import (
    NotDrafted,
    NotEnded,
    NotHeld,
    NotInChannel,
    NotPublished,
    PrivateStaysPrivate,
    ReviewClosed,
    UnknownFormat,
    WrongStage,
)
from bot.review.written import Written
from storage import closed, incidents, outbox, presence, reports, reviews, witness
from storage.incidents import Where
from storage.models import Incident, Meeting, Review

FORMATS = ("html", "pdf", "md", "json", "csv")
SENT = ("html", "pdf")
"""As a file, in direct messages."""
SHOWN_OF_MARKDOWN = 2_400
"""Characters; a whole report does not fit into a message."""
DRAFTED_AFTER = timedelta(minutes=30)
"""Within the hour after the meeting, and late enough for what is noted on the way out."""


# Writing ------------------------------------------------------------------------------------


def draft(turn: Turn, *, where: Where, by: UserId, uncompared: Sequence[str] = ()) -> Notes:
    """Write the report from what there is, after the meeting; writing again takes an approval back.

    `uncompared` are the channels in which the archive may not be what Slack shows now.
    """
    incident, review = _to_draft(turn, where, by)
    report = _draft(turn, incident, review, by=by)
    yield Note.private(by, "draft", report=report, counts=_counts(report), uncompared=list(uncompared))


def _draft(turn: Turn, incident: Incident, review: Review, *, by: UserId | None) -> Written:
    report = written(turn.db, incident, turn.house)
    review.draft = Press(turn.house.templates).markdown(report)
    review.drafted_at, review.approved_at = turn.now, None
    _record(turn, incident, review, "drafted", by)
    return report


def to_draft(turn: Turn, *, where: Where, by: UserId) -> int:
    """The incident whose report this person may draft now; raises what `draft` would."""
    return _to_draft(turn, where, by)[0].id


def _to_draft(turn: Turn, where: Where, by: UserId) -> tuple[Incident, Review]:
    incident, review = _to_write(turn, where, by, "draft")
    if reviews.open_meeting(turn.db, review):
        raise NotEnded
    if reviews.last_held(turn.db, review) is None:
        raise NotHeld
    return incident, review


def approve(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Say that the draft may be shared."""
    incident, review = _to_write(turn, where, by, "approve")
    if not review.drafted_at:
        raise NotDrafted
    if not review.approved_at:
        review.approved_at = turn.now
        _record(turn, incident, review, "approved", by)
    yield Note.private(by, "draft_approved", incident=incident.id)


def publish(
    turn: Turn, *, where: Where, by: UserId, to: ChannelId | None = None, audience: ChannelFacts | None = None
) -> Notes:
    """Post the first page where the incident is spoken of, and in another channel where one is named.

    1. What nobody approved is approved by publishing it, and the answer says so.
    2. It goes to the channels of the policy, too, where we can speak.
    3. A private incident goes nowhere where somebody reads who may not see it.
    """
    incident, review = _to_write(turn, where, by, "publish")
    if not review.drafted_at:
        raise NotDrafted
    places = _places(turn, incident, to, audience)
    approved_now = review.approved_at is None
    review.approved_at = review.approved_at or turn.now
    if review.published_at is None:
        review.published_at = turn.now
        _record(turn, incident, review, "published", by)
    review.published_head = witness.head(turn.db, turn.team)
    report = written(turn.db, incident, turn.house)
    review.published_to, review.draft = to or review.published_to, Press(turn.house.templates).markdown(report)
    for place in places:
        key = f"published:{review.id}:{place.channel}"
        note = Note.live(key, "published", place, report=report, by=by)
        yield replace(note, incident=incident.id)
        if report.events:
            yield Note.picture(f"chart:{review.id}:{place.channel}", "chart", place, incident.id)
    channels = [place.channel for place in places]
    facts = {"channels": channels, "missed": _missed(turn, incident), "approved_now": approved_now}
    yield Note.private(by, "publish", incident=incident.id, **facts)


def close(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The review is over; its open actions live on."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.owning, by, incidents.roles(turn.db, incident.id), "close")
    review = reviews.of(turn.db, incident)
    if not review.published_at:
        raise NotPublished
    if reviews.stage(turn.db, incident) is not Stage.closed:
        review.closed_at = turn.now
        incidents.stop_listening(turn.db, incident.id, now=turn.now)
        _record(turn, incident, review, "closed", by)
    left = facts_of.actions_to_do(reports.read(turn.db, incident).actions)
    yield Note.private(by, "closed", actions=left)


def _to_write(turn: Turn, where: Where, by: UserId, verb: str) -> tuple[Incident, Review]:
    """The review this person may write on; raises where it is over or nobody wants one."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.owning, by, incidents.roles(turn.db, incident.id), verb)
    stage = reviews.stage(turn.db, incident)
    if stage is Stage.closed:
        raise ReviewClosed
    if stage.is_called_off:
        raise WrongStage(stage=stage.label, verb=verb)
    return incident, reviews.of(turn.db, incident)


def _record(turn: Turn, incident: Incident, review: Review, what: str, by: UserId | None) -> None:
    incidents.record_change(
        turn.db, incident, "review", review.id, what=what, before=None, after=None, by=by, now=turn.now
    )


def _places(turn: Turn, incident: Incident, to: ChannelId | None, audience: ChannelFacts | None) -> list[Place]:
    home = incidents.main_place(turn.db, incident.id)
    wanted = [channel for channel in _channels_of_policy(turn, incident) if not closed.why(turn.db, turn.team, channel)]
    return list(dict.fromkeys([home, *_named(turn, incident, to, audience), *map(Place, wanted)]))


def _channels_of_policy(turn: Turn, incident: Incident) -> Sequence[ChannelId]:
    """Where the policy sends every report; a private one stays with its own people."""
    home = incidents.main_place(turn.db, incident.id).channel
    channels = () if incident.private_since else turn.house.policy.sharing.channels
    return [channel for channel in channels if channel != home]


def _missed(turn: Turn, incident: Incident) -> list[ChannelId]:
    """Channels of the policy in which nothing can be said."""
    return [channel for channel in _channels_of_policy(turn, incident) if closed.why(turn.db, turn.team, channel)]


def _named(turn: Turn, incident: Incident, to: ChannelId | None, audience: ChannelFacts | None) -> list[Place]:
    if to is None or to == incidents.main_place(turn.db, incident.id).channel:
        return []
    if incident.private_since:
        _require_inside(turn, incident, audience)
    if audience and not audience.bot_is_member:
        raise NotInChannel(to)
    return [Place(to)]


def _require_inside(turn: Turn, incident: Incident, audience: ChannelFacts | None) -> None:
    """Anybody can walk into a public channel, so that none of them will do; nor one whose members are not told."""
    inside = set(reports.insiders(turn.db, incident))
    if audience is None or not audience.private or not audience.members or not set(audience.members) <= inside:
        raise PrivateStaysPrivate


# Reading --------------------------------------------------------------------------------------


def report(turn: Turn, *, where: Where, by: UserId, form: str = "") -> Notes:
    """The first page, and where the whole of it is."""
    incident = incidents.at(turn.db, turn.team, where, by)
    wanted = form.strip().lower()
    if wanted and wanted not in FORMATS:
        raise UnknownFormat(words=form.strip())
    report = written(turn.db, incident, turn.house)
    beginning = _beginning(Press(turn.house.templates).markdown(report)) if wanted == "md" else None
    if wanted in SENT:
        key = f"{outbox.PAGE}{wanted}:{incident.id}:{by}"
        yield Note.picture(key, "report_file", Place(ChannelId(by)), incident.id, form=wanted)
    yield Note.private(by, "report", report=report, beginning=beginning, form=wanted or "md")


def _beginning(words: str) -> str:
    return words if len(words) <= SHOWN_OF_MARKDOWN else f"{words[:SHOWN_OF_MARKDOWN].rstrip()} …"


def _counts(report: Written) -> dict[str, int]:
    findings = sum(len(section.rows) for section in report.findings)
    return {"events": report.events, "findings": findings, "actions": sum(len(group.rows) for group in report.actions)}


# The draft that is written by itself ----------------------------------------------------------------


def undrafted(turn: Turn) -> list[dict[str, int]]:
    """The incidents whose meeting ended half an hour ago, and of which nobody has drafted a report since."""
    waiting = reports.without_draft(turn.db, turn.team, ended_before=turn.now - DRAFTED_AFTER)
    return [{"incident": incident.id} for _, incident in waiting]


def draft_by_itself(turn: Turn, *, incident: int) -> Notes:
    """Write the report's draft while it is fresh; who answers for it is told in their own hours.

    What another program on the same database has drafted since it was asked stays as it is.
    """
    if {"incident": incident} in undrafted(turn):
        row = incidents.get(turn.db, incident)
        _draft(turn, row, reviews.of(turn.db, row), by=None)
    return ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft of which whoever answers for it was not told yet, since the meeting that was held last."""

    incident: Incident
    meeting: Meeting | None
    key: str
    user: UserId | None


def tell_of_drafts(turn: Turn) -> Notes:
    """Tell who answers for a review, once after each meeting and in their working hours, that its draft waits."""
    told: set[UserId] = set()
    waiting = _waiting(turn)
    free = turn.who_may_be_told([one.user for one in waiting])
    for one in waiting:
        if one.user is None or one.user not in free - told or not turn.may_tell(one.user, one.incident):
            continue
        told.add(one.user)
        report = written(turn.db, one.incident, turn.house)
        late = _days_late(turn, one.meeting)
        note = Note.once(one.key, "draft_waits", one.user, report=report, counts=_counts(report), days_late=late)
        yield replace(note, incident=one.incident.id)


def _waiting(turn: Turn) -> Sequence[Waiting]:
    rows = reports.waiting_drafts(turn.db, turn.team)
    if not rows:
        return []
    held = reviews.last_held_in(turn.db, [review.id for review, _ in rows])
    roles = incidents.roles_in(turn.db, [incident.id for _, incident in rows])
    found = [
        Waiting(incident, held.get(review.id), _key(review, held.get(review.id)), roles[incident.id].owner_or_lead)
        for review, incident in rows
    ]
    said = outbox.written(turn.db, turn.team, [one.key for one in found])
    return [one for one in found if one.key not in said]


def _key(review: Review, meeting: Meeting | None) -> str:
    return f"draft-waits:{review.id}:{meeting.number if meeting else 0}"


def _days_late(turn: Turn, meeting: Meeting | None) -> int:
    """After its draft should have been written, where we were away then."""
    ended_at = meeting.ended_at if meeting else None
    return presence.days_late(turn.db, turn.team, ended_at + DRAFTED_AFTER, now=turn.now) if ended_at else 0
