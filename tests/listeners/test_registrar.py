"""Reading who is in which user group, and meeting those who may be asked because of it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.desk import House
from bot.registrar import Registrar
from bot.review.heard import PersonFact
from bot.review.incident import UserId
from bot.review.policy import DEFAULT, Pool
from bot.review.user_group import GroupFact
from bot.sandbox.server import sandbox
from bot.slack import Slack
from storage import attending, groups, incidents, people, reviews
from storage.models import Meeting
from tests.cast import MARA, NOVEMBER_18, TEAM, Room, a_room, an_incident, mitigated
from tests.sandbox.cast import client_of

CHIEF, SPEAKER = UserId("U0CHIEF"), UserId("U0SPEAKER")


class Telling(Slack):
    """A Slack that tells of these groups, or of none, and counts how often it was asked."""

    def __init__(self, told: list[GroupFact] | Exception | None) -> None:
        super().__init__(AsyncWebClient())
        self.told = told
        self.asked = 0
        self.met: list[str] = []

    async def groups(self) -> list[GroupFact] | None:
        self.asked += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    async def people_of(self, users: Collection[str]) -> list[PersonFact]:
        self.met += users
        zone = "Europe/Berlin"
        return [
            PersonFact(user_id=user, name=user, zone=zone, email=None, is_bot=False, deleted=False) for user in users
        ]


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    policy = replace(DEFAULT, leaders=Pool(groups=("leaders",)), business={"support": (SPEAKER,)})
    room = a_room(tmp_path, sqlite_url)
    return Room(room.storage, house=House(policy=policy))


LEADERS = GroupFact("S0LEAD", "leaders", "Leaders", (CHIEF, MARA))


async def test_groups_are_read_at_once_and_then_every_quarter_of_an_hour(room: Room):
    slack = Telling([LEADERS])
    registrar = Registrar(room.desk, slack)

    asked: list[int] = []
    for _ in range(5):
        await registrar.read_if_due()
        asked.append(slack.asked)
        room.pass_time(minutes=10)

    assert asked == [1, 1, 2, 2, 3]
    assert room.ask(groups.members, TEAM, "leaders") == [CHIEF, MARA]


async def test_a_clock_that_was_set_back_holds_nothing_up(room: Room):
    slack = Telling([LEADERS])
    registrar = Registrar(room.desk, slack)
    await registrar.read_if_due()

    room.pass_time(days=-3)
    await registrar.read_if_due()

    assert slack.asked == 2


async def test_who_may_be_asked_and_was_never_met_is_met(room: Room):
    slack = Telling([LEADERS])

    await Registrar(room.desk, slack).read_if_due()

    assert sorted(slack.met) == [CHIEF, SPEAKER]
    assert room.ask(lambda db: people.zone(db, TEAM, CHIEF)) == "Europe/Berlin"


async def test_where_slack_does_not_tell_what_was_told_stays(room: Room):
    await Registrar(room.desk, Telling([LEADERS])).read_if_due()

    await Registrar(room.desk, Telling(None)).read_if_due()
    await Registrar(room.desk, Telling(SlackApiError("no", {"error": "internal_error"}))).read_if_due()

    assert room.ask(groups.members, TEAM, "leaders") == [CHIEF, MARA]


async def test_what_slack_could_not_tell_is_asked_again(room: Room):
    slack = Telling(TimeoutError())
    registrar = Registrar(room.desk, slack)
    await registrar.read_if_due()

    slack.told = [LEADERS]
    room.pass_time(hours=1)
    await registrar.read_if_due()

    assert room.ask(groups.members, TEAM, "leaders") == [CHIEF, MARA]


async def test_slack_tells_of_its_groups_and_their_members():
    async with sandbox() as running:
        found = await Slack(client_of(running)).groups()

    assert found == [GroupFact("S0ONCALL", "oncall", "On call", ("U0PRIYA", "U0JONAS", "U0LENA", "U0KENJI"))]


async def test_without_the_scope_there_are_no_groups(tmp_path: Path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"oauth_config": {"scopes": {"bot": ["users:read"]}}}')

    async with sandbox(manifest=manifest) as running:
        found = await Slack(client_of(running)).groups()

    assert found is None


async def test_a_seed_may_bring_groups(tmp_path: Path):
    seed = tmp_path / "seed.json"
    seed.write_text(
        '{"users": [{"id": "U1", "name": "ada"}], '
        '"usergroups": [{"handle": "mail", "name": "Mail", "users": ["ada"]}, {"handle": "old", "users": ["U1"]}]}'
    )

    async with sandbox(seed=seed) as running:
        running.sandbox.workspace.usergroups["S0OLD"]["date_delete"] = 1_760_000_000
        found = await Slack(client_of(running)).groups()

    assert found == [
        GroupFact("S0MAIL", "mail", "Mail", ("U1",)),
        GroupFact("S0OLD", "old", "old", ("U1",), is_gone=True),
    ]


async def test_who_is_asked_to_a_planned_meeting_and_was_never_met_is_met(room: Room):
    stranger, late = UserId("U0STRANGER"), UserId("U0LATE")
    incident = an_incident(room)
    mitigated(room, incident)
    meeting = room.change(lambda db: planned(db, incident, room))
    room.change(lambda db: attending.invite(db, attach(db, meeting), stranger, core=room.now, now=room.now))
    slack = Telling([])

    await Registrar(room.desk, slack).read_if_due()
    room.change(lambda db: attending.invite(db, attach(db, meeting), late, core=None, now=room.now))
    room.change(lambda db: end(db, meeting, room))
    room.pass_time(hours=2)
    await Registrar(room.desk, slack).read_if_due()

    assert slack.met.count(stranger) == 1
    assert late not in slack.met


@pytest.mark.parametrize(("letters_from", "times"), [("debrief@sandbox.example", 2), ("", 0)])
async def test_who_would_get_a_letter_and_has_no_address_is_looked_up_once_a_day(
    room: Room, letters_from: str, times: int
):
    room.desk.house = House(letters_from=letters_from)
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: planned(db, incident, room))
    slack = Telling([])

    for hours in (0, 25, 26, 50):
        room.now = NOVEMBER_18 + timedelta(hours=hours)
        await Registrar(room.desk, slack).read_if_due()

    assert slack.met.count(MARA) == times


def planned(db: Session, incident: int, room: Room) -> int:
    row = incidents.get(db, incident)
    return reviews.plan(db, row, at=room.now + timedelta(days=2), by=MARA, now=room.now).id


def attach(db: Session, meeting: int) -> Meeting:
    return db.get_one(Meeting, meeting)


def end(db: Session, meeting: int, room: Room) -> None:
    attach(db, meeting).ended_at = room.now
