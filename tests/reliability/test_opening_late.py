"""Opening late, beside the unmodified bot: an old, busy channel is read whole, and how far is told in one message."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
LEAD, RESPONDER = "ada", "ben"
LINES, THREADS = 2_400, 25


def said_at(minutes_ago: float) -> str:
    return f"{(NOW - timedelta(minutes=minutes_ago)).timestamp():.6f}"


def an_old_channel() -> dict[str, Any]:
    """Fifteen days of talk, a thread now and then."""
    lines = [{"user": RESPONDER, "ts": said_at(9 * n + 60), "text": f"line {n}"} for n in range(LINES)]
    threads = [line["ts"] for line in lines[:: LINES // THREADS][:THREADS]]
    replies = [
        {"user": LEAD, "ts": f"{float(thread) + 30:.6f}", "thread_ts": thread, "text": f"reply to {thread}"}
        for thread in threads
    ]
    messages = sorted([*lines, *replies], key=lambda one: one["ts"])
    return {"name": "checkout-talk", "bot": True, "members": [LEAD, RESPONDER], "messages": messages}


@contextmanager
def a_town(folder: Path) -> Iterator[Driver]:
    seed = {
        "users": [{"name": name, "tz": "UTC"} for name in (LEAD, RESPONDER)],
        "channels": [an_old_channel(), {"name": "elsewhere", "bot": True, "members": [LEAD]}],
    }
    (folder / "seed.json").write_text(json.dumps(seed))
    with in_thread(seed=folder / "seed.json", manifest=manifest(), now=NOW) as slack:
        driver = Driver(slack.url)
        with bot_running(environment(slack.api_url, folder, free_port()), folder / "bot.log"):
            driver.wait_for(lambda: driver.get("state")["connections"], "the bot to connect")
            yield driver


def dms(driver: Driver) -> list[str]:
    return [words_of(message) for message in driver.messages("dm", LEAD)]


def test_an_old_and_busy_channel_is_asked_about_and_read_with_one_message_of_progress(tmp_path: Path):
    with a_town(tmp_path) as driver:
        asked = driver.type(LEAD, "checkout-talk", "open sev1 Checkout was down")
        driver.press(LEAD, "checkout-talk", "^From the beginning$")
        driver.wait_for_words("checkout-talk", "followed as an incident")
        done = words_of(driver.wait_for_words("dm", "I have read", LEAD))
        driver.type(LEAD, "checkout-talk", "began 2026-11-04 10:00")
        driver.type(LEAD, "checkout-talk", "mitigated 2026-11-04 12:00")
        driver.pass_time(3600)
        driver.wait_for_words("checkout-talk", "I propose no meeting by myself")
        calls = driver.get("log")["calls"]

        assert f"{LINES + THREADS:,} messages" in asked
        assert f"{LINES + THREADS:,} messages and {THREADS} threads" in done
        assert "What was edited before I came I see only as it is now" in done
        assert [words for words in dms(driver) if "read" in words] == [done]
        assert not [words for words in dms(driver) if "For its review I suggest" in words]
        progress = [call for call in calls if "messages so far" in json.dumps(call)]
        assert {call["method"] for call in progress} <= {"chat.postMessage", "chat.update"}
        assert progress
        assert driver.get("log")["violations"] == []


def test_a_further_channel_that_is_added_days_after_is_read_from_where_it_was_asked(tmp_path: Path):
    with a_town(tmp_path) as driver:
        driver.type(LEAD, "elsewhere", "open from:24h sev2 Mails are late")
        driver.pass_time(3 * 86_400)
        said = driver.type(LEAD, "elsewhere", "include #checkout-talk from:all")
        done = words_of(driver.wait_for_words("dm", "I have read <#C0CHECKOUTTALK>", LEAD))
        found = driver.wait_for(lambda: "line 2399" in driver.type(LEAD, "elsewhere", "search line 2399"), "the oldest")

        assert "along for *Mails are late* now" in said
        assert "threads" in done
        assert found
