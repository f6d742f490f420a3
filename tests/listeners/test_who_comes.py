"""Who comes to a meeting, on the unmodified bot beside a sandbox: the teams that Slack tells of, and the form."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from tests.listeners.test_gestures import a_port

CHANNEL = "inc-checkout"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """With a team in Slack's user groups, and a policy that names who speaks for support."""
    policy, seed, port = tmp_path / "policy.toml", tmp_path / "seed.json", a_port()
    policy.write_text('[business]\nsupport = ["U0SOFIA"]\n')
    seed.write_text(
        json.dumps({"usergroups": [{"handle": "network", "name": "Networking", "users": ["kenji", "tom"]}]})
    )
    with in_thread(seed=seed) as slack:
        env = environment(slack.api_url, tmp_path, port) | {"DEBRIEF_POLICY": str(policy)}
        with bot_running(env, tmp_path / "log"):
            driver = Driver(slack.url)
            driver.do("fault", rate_limits="off")
            driver.wait_for(lambda: driver.get("state")["connections"] > 0, "a connection")
            driver.wait_for(lambda: knows(tmp_path), "the user group and who speaks for support")
            yield driver


def knows(folder: Path) -> bool:
    """Whether the bot has read the group, and met who speaks for support."""
    engine = create_engine(f"sqlite:///{folder}/debrief.db")
    with engine.connect() as db:
        groups = db.execute(text("SELECT count(*) FROM user_groups")).scalar_one()
        met = db.execute(text("SELECT count(*) FROM people WHERE user_id = 'U0SOFIA'")).scalar_one()
    engine.dispose()
    return bool(groups and met)


def opened(driver: Driver, user: str) -> dict[str, Any]:
    """The form that opens for somebody."""
    return driver.wait_for(lambda: driver.get(f"views/{user}")["views"], "a form")[-1]


def an_incident(driver: Driver) -> None:
    """Kenji's message is on its timeline, and support was affected."""
    driver.do("create", user="priya", name=CHANNEL)
    driver.wait_for(lambda: any(m.get("bot_id") for m in driver.messages(CHANNEL)), "the notice")
    driver.do("join", user="kenji", channel=CHANNEL)
    driver.say("kenji", CHANNEL, "Moved the traffic away from the broken router")
    driver.type("priya", CHANNEL, "event <@U0KENJI> moved the traffic")
    driver.type("priya", CHANNEL, "impact")
    opened(driver, "priya")
    driver.fill("priya", functions="Support")
    driver.type("priya", CHANNEL, "mitigated")


def test_each_side_is_asked_and_one_form_changes_who_comes(driver: Driver):
    an_incident(driver)
    at = driver.now + timedelta(days=2)
    driver.type("priya", CHANNEL, f"schedule {at:%Y-%m-%d %H:%M}")
    announced = words_of(driver.wait_for_words(CHANNEL, "Asked to come"))

    driver.press("priya", CHANNEL, "Change who comes")
    view = opened(driver, "priya")
    driver.fill("priya", core=["U0PRIYA", "U0SOFIA", "U0LENA"])
    asked = words_of(driver.wait_for_words(CHANNEL, "you are asked to the review"))
    answer = words_of(driver.wait_for_words(CHANNEL, "3 come", "priya"))

    assert all(f"<@{user}>" in announced for user in ("U0PRIYA", "U0KENJI", "U0SOFIA"))
    assert view["blocks"][0]["text"]["text"] == "Networking, On call: <@U0KENJI>\nSupport: <@U0SOFIA>"
    assert asked.startswith("<@U0LENA>, you are asked")
    assert "Let off: <@U0KENJI>" in answer
    assert "Nobody comes for Networking yet; <@U0TOM> could." in answer
    assert driver.get("log")["violations"] == []
