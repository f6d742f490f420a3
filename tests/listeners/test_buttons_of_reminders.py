"""The buttons under a message that nobody asked for, each pressed once beside the unmodified bot."""

from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.town import LEAD, OWNER, Town, town

MONDAY = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)
A_MONTH_LATER = datetime(2026, 12, 29, 14, 35, tzinfo=UTC)
"""Both in the working hours of everybody here."""


def pressed(here: Town, label: str, answer: str) -> None:
    here.driver.press(OWNER, "dm", label)
    here.driver.wait_for_words("dm", answer, OWNER)


def test_each_button_of_a_reminder_does_what_it_says(tmp_path: Path):
    with town(tmp_path) as here:
        here.driver.do("fault", rate_limits="off")
        here.types(
            LEAD, "severity sev2", "mitigated 5 min ago", f"action @{OWNER} by 2026-11-24 quick write the runbook"
        )
        here.driver.move_clock_to(MONDAY)
        here.driver.wait_for_words("dm", "waits for your answer", OWNER)

        pressed(here, "^Remind me next week$", "I say nothing of action 1 until Mon 30 Nov 2026")
        pressed(here, "^Pause for a week$", "Until Mon 30 Nov 2026 I do not write to you unasked")
        pressed(here, "^Stop these messages$", "From now on I do not write to you unasked")

        here.types(OWNER, "reminders on", "action 1 done https://wiki.example/runbook")
        here.driver.move_clock_to(A_MONTH_LATER)
        here.driver.wait_for_words("dm", "Did it work", OWNER)
        pressed(here, "^Too early to tell$", "it is too early to tell")
        pressed(here, "^Not really$", "it did not work as hoped")
        pressed(here, "^Yes$", "that it worked")
