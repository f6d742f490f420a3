"""Silence of the running bot while it burns; how often people are written to afterwards is held without one."""

from pathlib import Path

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town


def test_until_it_is_mitigated_the_channel_hears_one_notice(tmp_path: Path):
    with town(tmp_path) as here:
        for number in range(2):
            said = here.driver.say(RESPONDER, CHANNEL, f"restarted pod {number}")
            here.driver.do("react", user=LEAD, channel=CHANNEL, ts=said, emoji="pushpin")
        here.types(LEAD, "severity sev1", "began 13:00", "event 13:10 the alert came in", f"action @{OWNER} quick look")
        here.driver.pass_time(4 * 3600)
        here.settles()

        assert len(_ours(here, CHANNEL)) == 1
        assert here.violations() == []


def _ours(here: Town, place: str) -> list[str]:
    """What the bot said in a place."""
    bot = here.driver.get("state")["bot"]["user"]
    said = here.driver.messages(place)
    return [words_of(m) for m in said if m.get("user") == bot and m.get("subtype") is None]
