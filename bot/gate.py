"""How many notes may begin now, and which: at the pace that all programs of a database keep together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import Session

from bot import pacing
from bot.pacing import A_SECOND, IN_A_CHANNEL, Pace
from storage import pauses, rounds
from storage.models import ANSWER, BROADCAST

ANSWERS_BESIDES = 10
"""So many more notes under way where somebody waits for an answer."""
A_MOMENT = timedelta(seconds=0.05)
"""Until we look again where another program is just beginning something."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """So many notes of a rank, or of a lower one, may begin now, but for those that have to wait."""

    rank: int
    notes: int
    wait: ColumnElement[bool]


class Gate:
    """Lets notes begin; without a `pace`, all that are due."""

    def __init__(self, team: str, *, now: Callable[[], datetime], pace: Pace | None) -> None:
        self._team, self._now, self._pace = team, now, pace
        self._again: datetime | None = None

    def seconds_left(self) -> float | None:
        """Until it may let more begin; None where nothing holds it."""
        return None if self._again is None else max(0.0, (self._again - self._now()).total_seconds())

    def allowed(self, db: Session, now: datetime, *, free: int) -> Allowed | None:
        """So many may go, where so many hands are free: those somebody waits for go beyond, and then before, others."""
        notes, answers, wait = free, free + ANSWERS_BESIDES, false()
        if self._pace:
            begun = pauses.begun(db, self._team, since=now - IN_A_CHANNEL, now=now)
            self._pace.learn(pauses.held(db, self._team, now=now), now)
            room, closed = self._pace.room(begun, now), self._pace.closed(now)
            notes, answers = min(notes, room.notes), min(answers, room.answers)
            wait = or_(pauses.said_by(closed), pauses.spoken_in(self._team, now=now, within=IN_A_CHANNEL))
            self._again = pacing.again(begun, closed, now)
        if notes > 0:
            return Allowed(BROADCAST, notes, wait)
        return Allowed(ANSWER, answers, wait) if answers > 0 else None

    def allowed_alone(self, db: Session, *, free: int) -> tuple[datetime, Allowed | None]:
        """The same, and since when; until this turn ends no other program that keeps the pace lets anything begin."""
        alone = self._pace is None or rounds.may_claim(db, self._team)
        now = self._now()
        if alone:
            return now, self.allowed(db, now, free=free)
        self._again = now + A_MOMENT
        return now, None

    def began(self, now: datetime) -> None:
        """Something was let begin, which leaves less room for the second that follows."""
        if self._pace:
            self._again = min(now + A_SECOND, self._again or now + A_SECOND)
