"""What people ask not to be reminded of: one action for a while, or everything, for a while or for good."""

from datetime import date, datetime, time, timedelta

from bot.desk import Note, Notes, Turn
from bot.holding import find, require_hand, require_open, zone_of
from bot.review.incident import UserId
from bot.review.meeting_time import working_morning_at
from bot.review.refusal import DayInThePast, UnknownVerb, UnreadableDay
from bot.review.when import read_day
from storage import people

A_WEEK = timedelta(days=7)
"""How long a snooze lasts where nobody names a day."""


def snooze_action(turn: Turn, *, by: UserId, number: int, words: str) -> Notes:
    """Say nothing more of one action to its owner until a day, and then remind them of it; works anywhere.

    It is nobody's business but theirs, so no history is kept of it. Raises UnreadableDay and DayInThePast.
    """
    held = find(turn, number, by)
    require_hand(held, "snooze")
    require_open(held, "snooze")
    held.action.snoozed_until = _day(words, held.today)
    yield Note.private(by, "action_snoozed", line=held.shown(), until=held.action.snoozed_until, by=by)


def set_reminders(turn: Turn, *, by: UserId, words: str) -> Notes:
    """Whether and from when on somebody is written to unasked: `on`, `off`, `snooze [DATE]`; else how it stands."""
    word, _, day = words.strip().partition(" ")
    match word.lower():
        case "on":
            _set(turn, by, off_at=None, until=None)
        case "off":
            _set(turn, by, off_at=turn.now, until=None)
        case "snooze":
            _set(turn, by, off_at=None, until=_morning(turn, by, day))
        case "":
            pass
        case _:
            raise UnknownVerb(verb=f"reminders {word}", nearest=("reminders on", "reminders off", "reminders snooze"))
    yield _as_it_stands(turn, by)


def _set(turn: Turn, user: UserId, *, off_at: datetime | None, until: datetime | None) -> None:
    person = people.find(turn.db, turn.team, user)
    if person:
        person.reminders_off_at, person.snoozed_until = off_at, until
        turn.db.flush()


def _as_it_stands(turn: Turn, user: UserId) -> Note:
    person, zone = people.find(turn.db, turn.team, user), zone_of(turn, user)
    until = person.snoozed_until.astimezone(zone).date() if person and person.snoozed_until else None
    is_over = until is None or until <= turn.now.astimezone(zone).date()
    off = person is not None and person.reminders_off_at is not None
    return Note.private(user, "reminders", stands="off" if off else "on" if is_over else "snoozed", until=until)


def _morning(turn: Turn, user: UserId, words: str) -> datetime:
    """When their day begins."""
    zone = zone_of(turn, user)
    return working_morning_at(_day(words, turn.now.astimezone(zone).date()), zone, time.min)


def _day(words: str, today: date) -> date:
    named = words.strip().lower().removeprefix("until ")
    if named in {"", "next week"}:
        return today + A_WEEK
    day = read_day(named, today)
    if day is None:
        raise UnreadableDay(words=words.strip())
    if day <= today:
        raise DayInThePast(words=words.strip())
    return day
