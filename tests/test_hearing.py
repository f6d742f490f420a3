"""Whether Slack can reach us, by seconds that are a variable."""

import pytest

from bot.hearing import CUT_OFF, SILENT, Hearing


class Seconds:
    """A clock on the wall."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def live(hearing: Hearing, seconds: Seconds, span: int, *, sockets: int | None, heard: bool = True) -> None:
    """So many seconds pass, with a look at each."""
    for _ in range(span):
        seconds.now += 1
        if heard:
            hearing.heard()
        hearing.look(sockets)


def test_who_hears_is_not_deaf(seconds: Seconds):
    hearing = Hearing(seconds)

    live(hearing, seconds, 600, sockets=2)

    assert (hearing.deaf_s, hearing.silent_s, hearing.why_deaf()) == (0, 0, None)


def test_a_quiet_half_minute_is_not_deafness(seconds: Seconds):
    hearing = Hearing(seconds)

    live(hearing, seconds, 60, sockets=None, heard=False)

    assert (hearing.deaf_s, hearing.silent_s, hearing.why_deaf()) == (0, 60, None)


def test_over_http_two_minutes_without_a_word_are(seconds: Seconds):
    hearing = Hearing(seconds)

    live(hearing, seconds, 121, sockets=None, heard=False)

    assert hearing.why_deaf() == SILENT
    assert hearing.deaf_s == 121 - 75


def test_without_a_socket_nothing_is_heard_although_slack_answers(seconds: Seconds):
    hearing = Hearing(seconds)
    live(hearing, seconds, 10, sockets=1)

    live(hearing, seconds, 120, sockets=0)
    short = hearing.why_deaf()
    live(hearing, seconds, 1, sockets=0)

    assert (short, hearing.why_deaf(), hearing.deaf_s) == (None, CUT_OFF, 121)


def test_whoever_hears_again_is_ready_again_and_what_it_missed_stays_counted(seconds: Seconds):
    hearing = Hearing(seconds)
    live(hearing, seconds, 200, sockets=0)

    live(hearing, seconds, 5, sockets=1)

    assert (hearing.why_deaf(), hearing.deaf_s, hearing.sockets) == (None, 200, 1)
