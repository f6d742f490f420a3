"""The power cut at minute 23 of a meeting: the room goes on where it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.meeting import Judged, Meeting, a_meeting, keep, play
from tests.reliability.town import LEAD

KILLS = 3


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Meeting, Judged]]:
    with a_meeting(tmp_path_factory.mktemp("town")) as meeting:
        yield meeting, play(meeting)


def test_killed_at_minute_23_it_is_the_same_message_and_topic_and_the_minutes_add_up(
    killed: tuple[Meeting, Judged],
):
    _, judged = killed

    assert judged.flaws == []
    assert [planned for _, planned, _ in judged.minutes] == [3, 4, 40, 4, 5, 4]
    assert [spent for _, _, spent in judged.minutes] == [3, 4, 35, 9, 5, 4]


def test_killed_at_minute_23_it_posted_one_message_in_all_its_topics(killed: tuple[Meeting, Judged]):
    meeting, _ = killed

    assert len(meeting.posted()) == 1
    assert meeting.here.violations() == []


def test_what_was_noted_at_the_power_cut_stands_once_in_the_thread_and_in_order(killed: tuple[Meeting, Judged]):
    meeting, _ = killed

    meeting.waits_for_thread(2)

    assert [line.split(" · ")[:2] for line in meeting.thread()] == [
        ["*Contributor 1*", "technical: no load test"],
        ["*Risk 2*", "one of us knows the tool"],
    ]


def test_killed_while_it_is_brought_down_there_is_one_agenda_to_press_on(killed: tuple[Meeting, Judged]):
    meeting, _ = killed
    meeting.here.types(LEAD, "start")
    meeting.shows("6 of 6")

    for _ in range(KILLS):
        meeting.here.types(LEAD, "down")
        meeting.here.kill()
        meeting.here.start()
        meeting.here.settles()
        meeting.here.driver.wait_for(meeting.here.agendas, "an agenda")
        assert len(meeting.here.agendas()) == 1


def test_a_meeting_whose_database_lost_ten_minutes_is_seen_by_the_judge(tmp_path: Path):
    """The sensitivity of the above: without what was written down first, topic and minutes are not the same."""
    with a_meeting(tmp_path) as meeting:
        meeting.sit_until(5)
        meeting.shows("2 of 6")
        lost = keep(meeting.here, tmp_path / "minute-5.db")

        judged = play(meeting, lost=lost)

    assert "another topic" in judged.flaws
