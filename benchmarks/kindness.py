"""How often somebody is written to unasked in the two months after a mitigation, and at what hour of theirs.

Everything the clock asks is asked every hour, also at night, and for three days it is not; each direct message is shown
with the local time of whoever gets it, for people in zones and countries of three kinds.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.days_off import country_of
from bot.review.incident import UserId
from tests.two_months import BUSY, HERE_AND_THERE, IDLE, LEAD, LEADER, OWNER, SLOW, Told, Zones, to, two_months

CASTS: dict[str, Zones] = {
    "Europe and around": HERE_AND_THERE,
    "around the Pacific": {
        LEAD: "America/Los_Angeles",
        OWNER: "Asia/Tokyo",
        IDLE: "Australia/Sydney",
        BUSY: "Asia/Shanghai",
        SLOW: "Pacific/Auckland",
        LEADER: "America/Vancouver",
    },
    "other weekends, and none known": {
        LEAD: "Asia/Jerusalem",
        OWNER: "Africa/Cairo",
        IDLE: "Asia/Riyadh",
        BUSY: "Asia/Dubai",
        SLOW: "Asia/Kathmandu",
        LEADER: "UTC",
    },
}
BEGINS: dict[str, datetime] = {
    "Europe and around": datetime(2026, 11, 18, 14, tzinfo=UTC),
    "around the Pacific": datetime(2027, 4, 14, 3, tzinfo=UTC),
    "other weekends, and none known": datetime(2027, 2, 24, 20, tzinfo=UTC),
}
"""Before holidays in each: Thanksgiving and Christmas, Anzac Day and the Golden Week, the end of Ramadan."""
ATTENDEES = {"does nothing": IDLE, "does what is asked": BUSY, "promises and does nothing": SLOW}


def measure() -> None:
    most: Counter[str] = Counter()
    unkind = 0
    for name, zones in CASTS.items():
        with tempfile.TemporaryDirectory() as folder:
            told = two_months(Path(folder), zones=zones, begins=BEGINS[name])
        print(f"\n{name}, mitigated {BEGINS[name]:%a %d %b %Y %H:%M} UTC")
        _tell(told, zones)
        most |= Counter({kind: len(to(user, told)) for kind, user in ATTENDEES.items()})
        unkind += sum(one.is_at_night or one.is_on_a_day_off for one in told) + _second_ones(told)
    print("\nat most, an attendee who " + ", ".join(f"{kind}: {count}" for kind, count in most.items()))
    print(f"at night, on a day off, or a second one on a day: {unkind}")


def _tell(told: Sequence[Told], zones: Zones) -> None:
    for one in told:
        print(f"  {_who(one.to, zones):28} {one.at:%a %d %b %H:%M}  {_first_words(one.text)}")


def _who(user: UserId, zones: Zones) -> str:
    return f"{user.removeprefix('U0').lower()} ({country_of(zones[user]) or '–'}, {zones[user]})"


def _first_words(text: str) -> str:
    return " ".join(text.split())[:90]


def _second_ones(told: Sequence[Told]) -> int:
    return sum(count - 1 for count in Counter((one.to, one.at.date()) for one in told).values())


if __name__ == "__main__":
    measure()
