"""A meeting on the running bot: its buttons, its forms, its thread, and nobody there at the hour."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town

Json = dict[str, Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The review meets, and Lena has opened it."""
    with town(tmp_path_factory.mktemp("town")) as here:
        here.types(LEAD, "mitigated 14:00", "start")
        here.waits_for_agenda("1 of 6")
        yield here
        assert here.violations() == []


def agendas(here: Town) -> list[Json]:
    return [m for m in here.driver.messages(CHANNEL) if words_of(m).startswith("Review of")]


def waits_for_line(here: Town, words: str) -> Json:
    """A line in the thread of the live agenda."""
    ts = agendas(here)[-1]["ts"]

    def look() -> Json | None:
        thread = [m for m in here.driver.messages(CHANNEL) if m.get("thread_ts") == ts]
        return next((m for m in thread if words in words_of(m)), None)

    return here.driver.wait_for(look, f"the line “{words}”")


def whispered(here: Town, user: str, words: str) -> str:
    return words_of(here.driver.wait_for_words(CHANNEL, words, user))


def test_the_note_button_opens_one_form_for_all_that_can_be_noted(here: Town):
    for kind, text, line in (
        ("risk", "One of us knows the tool", "*Risk 1* · One of us knows the tool"),
        ("event", "Support was told", "*Event 1* · Support was told"),
        ("note", "We come back to the runbook", "*Note* · We come back to the runbook"),
    ):
        here.driver.press(RESPONDER, CHANNEL, "^Note…$")
        here.driver.fill(RESPONDER, kind=kind, text=text)

        waits_for_line(here, line)


def test_what_is_pressed_and_noted_under_an_agenda_with_replies_is_answered_in_the_channel(here: Town):
    here.driver.press(RESPONDER, CHANNEL, "^Note…$")
    here.driver.fill(RESPONDER, kind="risk", text="One of us knows the tool")
    waits_for_line(here, "One of us knows the tool")

    here.driver.press(RESPONDER, CHANNEL, "^I am here$")
    here.driver.press(RESPONDER, CHANNEL, "^Note…$")
    here.driver.fill(RESPONDER, kind="note", text="We come back to the runbook")

    for words in ("Good to have you here", "We come back to the runbook"):
        answer = here.driver.wait_for(lambda words=words: _alone(here, RESPONDER, words), f"the answer “{words}”")
        assert "thread_ts" not in answer


def _alone(here: Town, user: str, words: str) -> Json | None:
    """What only this person sees."""
    seen = here.driver.messages(CHANNEL, user)
    return next((m for m in seen if m.get("is_ephemeral") and words in words_of(m)), None)


def test_a_mention_in_the_thread_of_the_agenda_notes_there(here: Town):
    ts = agendas(here)[-1]["ts"]

    here.driver.do("mention", user=OWNER, channel=CHANNEL, thread_ts=ts, text="learning process: we page support late")

    waits_for_line(here, "process: we page support late")


def test_what_a_shortcut_on_a_message_notes_in_the_meeting_gathers_too(here: Town):
    ts = here.driver.say(RESPONDER, CHANNEL, "I rolled checkout back to 41")

    here.driver.do("shortcut", user=OWNER, channel=CHANNEL, ts=ts, callback_id="add_to_timeline")
    here.driver.fill(OWNER, kind="decision")

    waits_for_line(here, "I rolled checkout back to 41")


def test_an_emoji_on_a_message_in_the_meeting_gathers_too(here: Town):
    ts = here.driver.say(RESPONDER, CHANNEL, "The queue was full")

    here.driver.do("react", user=OWNER, channel=CHANNEL, ts=ts, emoji="pushpin")

    waits_for_line(here, "The queue was full")


def test_the_facilitator_goes_to_a_topic_by_a_form(here: Town):
    here.driver.press(LEAD, CHANNEL, "^Go to…$")
    here.driver.fill(LEAD, words="findings")

    here.waits_for_agenda("4 of 6")


def test_the_help_card_is_one_press_away_and_for_one_persons_eyes(here: Town):
    here.driver.press(LEAD, CHANNEL, "^Help card$")

    card = whispered(here, LEAD, "For you alone")
    public = [words_of(message) for message in here.driver.messages(CHANNEL)]
    assert "Somebody defends themselves" in card
    assert not [words for words in public if "For you alone" in words]


def test_the_link_to_the_recording_is_kept_by_a_form(here: Town):
    here.driver.press(LEAD, CHANNEL, "^Keep the link…$")
    here.driver.fill(LEAD, url="https://example.com/watch/42")

    here.driver.wait_for(lambda: here.review()["review"]["meetings"][0]["recording"], "the recording")


def test_brought_down_the_agenda_stands_below_all_that_was_said_and_nowhere_else(here: Town):
    said = here.driver.say(RESPONDER, CHANNEL, "and a long talk")

    here.driver.press(OWNER, CHANNEL, "^Bring it down$")

    here.driver.wait_for(lambda: agendas(here) and agendas(here)[-1]["ts"] > said, "the agenda below")
    assert len(agendas(here)) == 1
    here.driver.press(OWNER, CHANNEL, "^I am here$")
    whispered(here, OWNER, "Good to have you here")


def test_over_run_is_said_to_whoever_leads_alone(here: Town):
    here.driver.pass_time(30 * 60)

    whispered(here, LEAD, "has had its")
    public = [words_of(message) for message in here.driver.messages(CHANNEL, RESPONDER)]
    assert not [words for words in public if "has had its" in words]


def test_nobody_there_at_the_hour_anybody_lets_it_run_by_itself(here: Town):
    here.types(LEAD, "end")
    here.waits_for_agenda("has ended")
    here.driver.pass_time(2 * 24 * 3600)
    meets_at = here.driver.now + timedelta(hours=1)
    here.types(LEAD, f"schedule {meets_at:%Y-%m-%d %H:%MZ}")
    here.driver.move_clock_to(meets_at + timedelta(minutes=11))
    here.driver.wait_for_words(CHANNEL, "nobody has opened it yet")

    here.driver.press(RESPONDER, CHANNEL, "^Let it run by itself$")
    here.driver.wait_for_words(CHANNEL, "(?s)1 of 6.*Nobody leads today")
    here.driver.pass_time(4 * 60)

    here.waits_for_agenda("2 of 6")
