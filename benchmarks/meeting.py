"""A meeting of sixty minutes on the virtual clock, killed -9 at minute 23: what the channel showed, and the minutes."""

import tempfile
from pathlib import Path

from tests.reliability.meeting import KILLED_AT, a_meeting, play


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder, a_meeting(Path(folder)) as meeting:
        judged = play(meeting)
        posted, thread = len(meeting.posted()), len(meeting.thread())
    topics = ", ".join(f"{name} {spent} of {planned}" for name, planned, spent in judged.minutes)
    planned, spent = sum(planned for _, planned, _ in judged.minutes), sum(spent for *_, spent in judged.minutes)
    print(f"killed -9 at minute {KILLED_AT}: {'same message, same topic' if not judged.flaws else judged.flaws}")
    print(f"{topics}: {spent} of {planned} min")
    print(f"{posted} new message in the channel for {len(judged.minutes)} topics, {thread} lines in its thread")


if __name__ == "__main__":
    measure()
