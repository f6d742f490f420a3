from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, Place, UserId
from storage import actions, incidents, people, reviews
from storage.actions import Proposal
from storage.incidents import Where
from storage.models import Action, Finding, Membership
from tests.cast import CHANNEL, HERE, MARA, OUTSIDER, TEAM, TOMAS, Room, a_room, an_incident

SECRET = ChannelId("C0SECRET")


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def propose(
    room: Room, incident: int, *, owner: UserId = TOMAS, due: date = date(2026, 11, 25), ts: str = ""
) -> Action:
    message = {"channel_id": CHANNEL, "ts": ts} if ts else {}
    proposal = Proposal(text="write the runbook", owner=owner, due=due, horizon="quick", **message)
    return room.change(lambda db: actions.propose(db, incidents.get(db, incident), proposal, by=MARA, now=room.now))


def a_private_incident(room: Room) -> int:
    incident = an_incident(room, channel=SECRET, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET, user_id=MARA)))
    return incident


def test_actions_are_numbered_across_the_workspace(room: Room):
    first, second = an_incident(room), an_incident(room, channel=ChannelId("C0OTHER"))

    numbers = [propose(room, incident).number for incident in (first, second, first)]

    assert numbers == [1, 2, 3]


def test_what_is_private_is_found_by_its_members_alone(room: Room):
    propose(room, a_private_incident(room), owner=OUTSIDER)

    def seen(db: Session, user: UserId) -> tuple[bool, int, int]:
        found = actions.by_number(db, TEAM, 1, user)
        return found is not None, len(actions.seen_by(db, TEAM, user)), len(actions.open_of(db, TEAM, user))

    assert room.ask(seen, MARA) == (True, 1, 0)
    assert room.ask(seen, OUTSIDER) == (False, 0, 0)


def test_what_a_person_owes_comes_by_its_day(room: Room):
    incident = an_incident(room)
    for day in (27, 25, 26):
        propose(room, incident, due=date(2026, 11, day))
    settled = {4: "done", 5: "declined"}
    for number, state in settled.items():
        propose(room, incident)
        room.change(lambda db, n=number, s=state: setattr(_row(db, n), "state", s))

    owed = room.ask(lambda db: [action.number for action, _ in actions.open_of(db, TEAM, TOMAS)])

    assert owed == [2, 3, 1]


def _row(db: Session, number: int) -> Action:
    found = actions.by_number(db, TEAM, number, MARA)
    assert found
    return found[0]


def still_open(room: Room) -> list[int]:
    return room.ask(lambda db: [action.number for action, _ in actions.still_open(db, TEAM)])


def test_a_cancelled_incident_owes_nothing_until_it_breaks_again(room: Room):
    incident = an_incident(room)
    propose(room, incident)

    def cancel(db: Session) -> None:
        reviews.of(db, incidents.get(db, incident)).cancelled_at = room.now

    room.change(cancel)
    while_cancelled = still_open(room)
    room.pass_time(hours=1)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "cancelled_at", None))

    assert (while_cancelled, still_open(room)) == ([], [1])


def test_a_rung_is_climbed_once(room: Room):
    action = propose(room, an_incident(room))

    climbed = [room.change(lambda db: actions.climb(db, action, "2026-11-25:before", now=room.now)) for _ in range(2)]

    assert climbed == [True, False]
    assert room.ask(actions.rungs, [action.id]) == {action.id: {"2026-11-25:before": room.now}}


def test_an_owner_is_out_of_reach_when_gone_or_outside(room: Room):
    private, public = a_private_incident(room), an_incident(room)
    gone = {"name": "Tomas", "zone": "UTC", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, TOMAS, **gone))

    def why(db: Session, incident: int, user: UserId) -> str | None:
        return actions.unreachable(db, TEAM, incidents.get(db, incident), user)

    assert room.ask(why, public, TOMAS) == "gone"
    assert room.ask(why, private, OUTSIDER) == "outside"
    assert room.ask(why, public, OUTSIDER) is None
    assert room.ask(why, private, MARA) is None


def test_an_action_answers_the_findings_it_was_given_last(room: Room):
    incident = an_incident(room)
    action = propose(room, incident)

    def answer(db: Session, *numbers: int) -> None:
        row = {"team_id": TEAM, "incident_id": incident, "kind": "risk", "text": "x", "by": MARA, "at": room.now}
        found = [Finding(number=number, **row) for number in numbers]
        db.add_all(found)
        db.flush()
        actions.answer(db, action, found)

    room.change(lambda db: answer(db, 3))
    room.change(lambda db: answer(db, 2, 1))

    assert room.ask(actions.answers, incident) == {action.id: [1, 2]}


def test_a_list_elsewhere_reaches_wider(room: Room):
    incident = an_incident(room)

    def of(db: Session, where: Where | None) -> int | None:
        found = actions.incident_at(db, TEAM, where, MARA)
        return found.id if found else None

    assert room.ask(of, HERE) == incident
    assert room.ask(of, Where(Place(ChannelId("C0OTHER")))) is None
    assert room.ask(of, None) is None


def test_the_latest_change_of_owner_and_the_last_touch_are_known(room: Room):
    action = propose(room, an_incident(room))
    for what, after in (("owner", TOMAS), ("owner", MARA), ("due", "2026-12-01")):
        room.pass_time(hours=1)
        change = {"what": what, "before": None, "after": after, "by": MARA, "now": room.now}
        room.change(lambda db, c=change: incidents.record_change(db, incidents.get(db, 1), "action", action.id, **c))

    handed = room.ask(lambda db: actions.handed_over(db, TEAM, [action.id])[action.id].after)

    assert handed == MARA
    assert room.ask(actions.touched, TEAM, [action.id]) == {action.id: room.now}
