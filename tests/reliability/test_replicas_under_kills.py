"""Three replicas on one PostgreSQL, killed, stopped and cut off while much is due at once: all of it is said once."""

from collections import Counter
from pathlib import Path

import pytest

from storage import outbox
from tests.cast import TEAM
from tests.databases import Restartable
from tests.reliability.replica import CLAIMS, HOLDS
from tests.reliability.replicas import POST, UPDATE, Deed, Patience, Replica, Stage, a_stage

pytestmark = pytest.mark.postgres
SHORT, LONG = Patience(grace_s=0.5, call_s=0.3), Patience(grace_s=1.0, call_s=0.5)
A_THIRD = 0.3
"""The share of posts that go wrong."""


async def test_three_replicas_killed_stopped_and_cut_off_say_everything_once(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=4) as stage:
        await let_suffer(stage, {Deed.kill: 10, Deed.pause: 5, Deed.restart: 1}, notes=80, reminders=20)

        assert stage.flaws() == {}
        assert len(stage.said()) == 100
        assert stage.done["kills_while_sending"] > 0
        assert stage.done["long_pauses_while_sending"] > 0


async def let_suffer(stage: Stage, deeds: dict[Deed, int], *, notes: int, reminders: int) -> None:
    """Let three replicas say so much through all this, until everything is at its end."""
    stage.write_notes(notes)
    stage.let_be_reminded(reminders)
    stage.trouble(A_THIRD)
    await stage.play(3)
    await stage.suffer(deeds, while_said=notes + reminders)
    await stage.until_settled(notes + reminders)


# What each protection is for -----------------------------------------------------------------------


async def test_a_replica_that_stands_still_before_a_post_for_longer_than_anybody_waits_doubles_nothing(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=5) as stage:
        await stand_still_before_a_post(stage)

        assert stage.flaws() == {}


async def test_a_lease_without_a_lock_would_say_twice_what_its_holder_stood_still_with(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=5) as stage:
        await stand_still_before_a_post(stage, lacks=HOLDS)

        assert stage.flaws() == {"doubled": 1}


async def stand_still_before_a_post(stage: Stage, *, lacks: str = "") -> None:
    """One of three replicas stops right before its post, past its last look whether the note is its own."""
    await stage.play(3, lacks=lacks)
    (victim,) = await stage.stopped_at(f"before {POST}", lambda: stage.write_notes(1))
    await stage.wait_out()
    victim.go_on()
    await stage.until_settled(1)
    await stage.until_quiet()


async def test_replicas_that_look_for_notes_at_the_same_moment_say_each_once(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=6) as stage:
        await look_at_the_same_moment(stage)

        assert stage.flaws() == {}


async def test_a_claim_that_locked_nothing_it_read_would_say_twice_what_another_had_said_meanwhile(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=6) as stage:
        await look_at_the_same_moment(stage, lacks=CLAIMS)

        flaws = stage.flaws()

        assert flaws["doubled"] > 0
        assert flaws.keys() == {"doubled"}


async def look_at_the_same_moment(stage: Stage, *, lacks: str = "") -> None:
    stage.write_notes(30)
    await stage.play(3, lacks=lacks)
    await stage.until_settled(30)
    await stage.until_quiet()


# What changes in its place -------------------------------------------------------------------------


async def test_the_newest_words_win_although_who_changed_them_stood_still_and_died(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=7) as stage:
        await change_late_and_die(stage)

        assert stage.texts() == ["Timeline"]
        assert stage.flaws() == {}


async def test_a_lease_without_a_lock_would_leave_older_words_in_the_place_of_newer_ones(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=SHORT, seed=7) as stage:
        await change_late_and_die(stage, lacks=HOLDS)

        assert stage.texts() == ["Summary"]
        assert stage.left() == 0


async def change_late_and_die(stage: Stage, *, lacks: str = "") -> None:
    """A replica stops right before it changes a message, goes on when newer words are due, and dies of it."""
    (user,) = stage.newcomers(1)
    write_agenda(stage, user, "Opening")
    await stage.play(3, lacks=lacks)
    await stage.until_settled(1)
    (victim,) = await stage.stopped_at(f"before {UPDATE}", lambda: write_agenda(stage, user, "Summary"))
    write_agenda(stage, user, "Timeline")
    await stage.wait_out()
    await die_after(victim, UPDATE)
    await stage.until_settled(1)
    await stage.until_quiet()


def write_agenda(stage: Stage, user: str, topic: str) -> None:
    words = outbox.Words(key="agenda", channel=user, text=topic, at=stage.room.now)
    stage.room.change(lambda db: outbox.say_live(db, TEAM, words))


async def die_after(victim: Replica, method: str) -> None:
    """Let it make its call, and nothing after it."""
    victim.expect(f"after {method}")
    victim.go_on()
    await victim.stopped.wait()
    await victim.kill()
    await victim.start()


# The long forms ------------------------------------------------------------------------------------


@pytest.mark.torture
@pytest.mark.timeout(900)
async def test_a_thousand_messages_due_at_once_are_said_once_through_a_hundred_kills_and_three_restarts(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=LONG, seed=41) as stage:
        await let_suffer(stage, {Deed.kill: 100, Deed.restart: 3}, notes=900, reminders=100)

        assert stage.flaws() == {}
        assert len(stage.said()) == 1_000
        assert at_least(stage.done, kills=100, restarts=3, kills_while_sending=50)


@pytest.mark.torture
@pytest.mark.timeout(900)
async def test_a_thousand_messages_are_said_once_by_replicas_that_also_stand_still_for_longer_than_anybody_waits(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=LONG, seed=51) as stage:
        await let_suffer(stage, {Deed.kill: 100, Deed.pause: 60, Deed.restart: 3}, notes=900, reminders=100)

        assert stage.flaws() == {}
        assert len(stage.said()) == 1_000
        assert at_least(stage.done, kills=100, restarts=3, long_pauses=50, long_pauses_while_sending=10)


def at_least(done: Counter[str], **wanted: int) -> bool:
    return all(done[what] >= times for what, times in wanted.items())
