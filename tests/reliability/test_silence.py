"""Silence: one notice until the incident is mitigated, and one message a person and day over a month."""

import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, TICK_S, Town, town

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = (9, 14)
DAYS = 4


def test_until_it_is_mitigated_the_channel_hears_one_notice(tmp_path: Path):
    with town(tmp_path) as here:
        for number in range(5):
            said = here.driver.say(RESPONDER, CHANNEL, f"restarted pod {number}")
            here.driver.do("react", user=LEAD, channel=CHANNEL, ts=said, emoji="pushpin")
        here.types(LEAD, "severity sev1", "began 13:00", "event 13:10 the alert came in", f"action @{OWNER} quick look")
        here.driver.pass_time(4 * 3600)
        here.settles()

        assert len(_ours(here, CHANNEL)) == 1


def test_nobody_gets_more_than_one_message_a_day_however_much_is_left_undone(tmp_path: Path):
    with town(tmp_path) as here:
        here.types(LEAD, "severity sev2", "began 13:00", "mitigated 14:00", f"owner @{OWNER}", f"facilitator @{LEAD}")
        here.types(LEAD, "schedule yesterday 10:00", "held", f"lead @{LEAD}")
        for number, due in enumerate(("2026-11-24", "2026-11-25", "2026-12-01", "2026-12-15")):
            here.types(
                LEAD, f"action @{OWNER} by {due} quick task {number}", f"action @{LEAD} by {due} quick mine {number}"
            )
        day = datetime(2026, 11, 19, tzinfo=BERLIN)
        for passed in sorted({*range(DAYS), 6, 8, 13, 20, 27, 34}):
            for hour in HOURS if passed < DAYS else HOURS[:1]:
                here.driver.move_clock_to((day + timedelta(days=passed)).replace(hour=hour, minute=5))
                time.sleep(TICK_S)

        for user in (LEAD, OWNER, RESPONDER):
            days = Counter(datetime.fromtimestamp(float(ts), BERLIN).date() for ts, _ in _ours(here, "dm", user))
            assert max(days.values(), default=0) <= 1, _ours(here, "dm", user)
        assert len(_ours(here, "dm", OWNER)) >= 3
        assert here.violations() == []


def _ours(here: Town, place: str, user: str | None = None) -> list[tuple[str, str]]:
    """What the bot said in a place."""
    bot = here.driver.get("state")["bot"]["user"]
    said = here.driver.messages(place, user)
    return [(m["ts"], words_of(m)) for m in said if m.get("user") == bot and m.get("subtype") is None]
