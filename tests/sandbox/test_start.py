"""What the sandbox says when it starts is what the bot needs, and Ctrl+C ends it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ((), "SLACK_APP_TOKEN=xapp-sandbox"),
        (("--http", "http://127.0.0.1:1/"), "SLACK_SIGNING_SECRET=sandbox-signing-secret"),
    ],
)
def test_it_prints_the_environment_of_the_bot_and_how_to_stop(words: tuple[str, ...], way: str):
    with _started(*words) as said:
        environment = [line.strip() for line in said if line.startswith("    ")]

    assert environment[0].startswith("SLACK_API_URL=http://127.0.0.1:")
    assert environment[1:] == ["SLACK_BOT_TOKEN=xoxb-sandbox", way]
    assert said[-1].endswith("Press Ctrl+C to stop.")


@contextmanager
def _started(*words: str) -> Iterator[list[str]]:
    """Six lines of a sandbox that is started for them, and ends well when it is interrupted."""
    command = (sys.executable, "-m", "bot.sandbox", "--port", "0", *words)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        yield [started.stdout.readline().rstrip() for _ in range(6)]
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=60) == 0
