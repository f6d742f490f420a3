"""A small made-up review with something of everything: what a template of somebody's own is tried on."""

from datetime import UTC, date, datetime, timedelta

from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import (
    ActionFacts,
    AttendeeFacts,
    CommentFacts,
    EventFacts,
    EvidenceFacts,
    Facts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MomentFacts,
    NoteFacts,
    ReviewFacts,
    TopicFacts,
)
from bot.review.timeline import Kind, Outcome
from bot.review.writer import write
from bot.review.written import Beside, Earlier, Mark, Written

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
PEOPLE = {"U0MARA": "Mara", "U0TOMAS": "Tomás"}


def written() -> Written:
    """The whole of it, as a report tells it."""
    beside = Beside(
        similar=(Earlier(incident=2, title="Search is slow", why="both speak of the cache", at="in October"),),
        pulse={1: ("4 of 5 learned something.",)},
        mark=Mark(head="0123456789abcdef", incident=1),
    )
    return write(facts(), called=by_name(PEOPLE), zone="Europe/Berlin", beside=beside)


def facts() -> Facts:
    """What is known of it."""
    moments = {"began": 0, "detected": 10, "mitigated": 70}
    incident = IncidentFacts(
        id=1,
        team_id="T0EXAMPLE",
        title="Checkout <is> slow & *odd*",
        severity="sev1",
        lead="U0MARA",
        private=True,
        moments={name: MomentFacts(at=_after(minutes), by="U0MARA", how="set") for name, minutes in moments.items()},
        impact=Impact(customers="one in five", services=("checkout",), inquiries=12, text="Buyers waited."),
        summary="Checkout was slow.\nBuyers waited.\nA rollback fixed it.",
    )
    return Facts(
        incident=incident, review=_review(), timeline=tuple(_events()), findings=_findings(), actions=_actions()
    )


def _after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _review() -> ReviewFacts:
    meeting = MeetingFacts(
        number=1,
        meets_at=_after(3000),
        minutes=60,
        attendees=(
            AttendeeFacts(user="U0MARA", core=True, present=True),
            AttendeeFacts(user="U0TOMAS", core=True, present=False),
        ),
        recording="https://calls.example.com/1",
        topics=(TopicFacts(name="timeline", planned_s=2100, spent_s=1980),),
        notes=(NoteFacts(text="The dashboard was two minutes behind.", by="U0MARA", at=_after(3010)),),
        parked=(NoteFacts(text="The budget.", by="U0TOMAS", at=_after(3020)),),
        opened_at=_after(3000),
        ended_at=_after(3058),
    )
    return ReviewFacts(
        stage=Stage.published, facilitator="U0TOMAS", scribe="U0MARA", owner="U0MARA", meetings=(meeting,)
    )


def _events() -> list[EventFacts]:
    """One of each kind, the first of them with all that an event can have."""
    first = EventFacts(
        number=1,
        kind=Kind.detection,
        outcome=Outcome.helped,
        occurred_at=_after(10),
        recorded_at=_after(10),
        text="Support hears of slow payments.",
        by="U0MARA",
        source="message",
        permalink="https://example.slack.com/archives/C1/p1",
        question="What was the first sign?",
        answer="Three calls within a minute.",
        comments=(CommentFacts(text="And one the evening before.", by="U0TOMAS", at=_after(3015)),),
    )
    others = [
        EventFacts(
            number=number,
            kind=kind,
            outcome=Outcome.unknown,
            occurred_at=_after(10 + 5 * number),
            recorded_at=_after(70),
            text=f"Something of the kind {kind.label}.",
            source="typed",
        )
        for number, kind in enumerate(list(Kind)[1:], start=2)
    ]
    return [first, *others]


def _findings() -> tuple[FindingFacts, ...]:
    """One of each kind."""
    return tuple(
        FindingFacts(
            number=number,
            kind=kind,
            sort=next(iter(kind.sorts), None),
            text=f"What was found as a {kind.label}.",
            by="U0MARA",
            at=_after(3030),
            event=1,
        )
        for number, kind in enumerate(FindingKind, start=1)
    )


def _actions() -> tuple[ActionFacts, ...]:
    """One to do, one done, one declined."""
    to_do = ActionFacts(
        number=1,
        text="Alert on slow queries",
        owner="U0TOMAS",
        due=date(2026, 11, 25),
        state="committed",
        horizon="quick",
        category="tooling",
        priority="high",
        team="payments",
        answers=(1,),
        second_order="More pages at night.",
    )
    done = ActionFacts(
        number=2,
        text="Write the runbook",
        owner="U0MARA",
        state="done",
        evidence=EvidenceFacts(deployed="https://example.com/runbook"),
        verified_by="U0TOMAS",
    )
    declined = ActionFacts(number=3, text="Buy a second database", state="declined", reason="The first one is idle.")
    return to_do, done, declined
