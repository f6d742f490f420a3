"""To whom a private incident does not exist: every verb, button, form, shortcut and tick, for every sort of outsider.

Two worlds are alike to the last row, but in one of them the private incident is another workspace's: there is none.
What an outsider is answered, what is opened, what Slack is asked and what the database is asked is the same in both.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, literal, select, update
from sqlalchemy.orm import Session

from bot import clock, facilitating, searching, tagging
from bot.listeners import forms, shortcuts
from bot.listeners.edge import Edge, Gesture
from bot.listeners.forms import FORMS, Memory
from bot.listeners.performing import perform
from bot.listeners.words import VERBS, look_up
from bot.render import Rendered
from bot.review.findings import FindingKind
from bot.review.heard import ChannelFact, MembershipFact, PersonFact, ReactionFact, moment_of, read_person
from bot.review.impact import Impact
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import Refused
from bot.seals import Answer, Seal
from bot.slack import Count
from storage import (
    actions,
    attending,
    channels,
    findings,
    incidents,
    people,
    reactions,
    reports,
    reviews,
    rota,
    sealed,
    search,
)
from storage.actions import Proposal
from storage.incidents import Where
from storage.models import Attendee, Base, EventComment, Message, OutboxNote, Review, TimelineEvent
from tests.cast import JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_room, an_incident
from tests.databases import Server, Stock
from tests.listeners.test_words import EXAMPLES

CANARY = "zebrafish"
SECRET, ELSEWHERE = ChannelId("C0SECRET"), ChannelId("C0ELSE")
GUEST, PARTNER = UserId("U0GUEST"), UserId("U0PARTNER")
PROFILES = (
    {"id": GUEST, "team_id": TEAM, "is_restricted": True, "real_name": "Guest"},
    {"id": PARTNER, "team_id": "T0PARTNER", "real_name": "Partner"},
)
OUTSIDERS = {"former member": TOMAS, "colleague": PRIYA, "guest": GUEST, "other workspace": PARTNER}
STATES = ("private", "made private", "made public in Slack alone", "public")
SEAL = Seal(b"a key that nobody can guess")
TS = "1795010401.000000"
"""Of a message in its channel, a second after it was opened."""
EVENTS, ACTIONS = 7, 12
"""As many as the examples of the verbs speak of."""


# Two worlds -----------------------------------------------------------------------------------


@dataclass
class World:
    """A room with an edge whose Slack is a table; it writes down what it is asked, and so does the database."""

    room: Room
    state: str
    ts: str = ""
    asked: list[str] = field(default_factory=list)
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def __post_init__(self) -> None:
        self.edge = Edge(self.room.desk, self, self, historian=self, bot_user=UserId("U0DEBRIEF"))  # type: ignore[arg-type]
        event.listen(self.room.storage.engine, "before_cursor_execute", self._heard)

    def _heard(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        self.asked.append(statement)

    # Slack

    async def channel_facts(self, channel: ChannelId) -> ChannelFacts:
        self.asked.append("conversations.info")
        is_private = channel == SECRET and self.state in {"private", "made private"}
        members = tuple(people_in(self.room, channel))
        return ChannelFacts(channel=channel, name=f"name-of-{channel}", private=is_private, members=members)

    async def person(self, user: str) -> PersonFact | None:
        self.asked.append("users.info")
        return None

    async def counts_since(self, _channel: ChannelId, moments: list[Any]) -> list[Count]:
        self.asked.append("conversations.history")
        return [Count(0, is_all=True)] * len(moments)

    async def views_open(self, *, trigger_id: str, view: Mapping[str, Any]) -> None:
        self.asked.append(f"views.open {trigger_id} {json.dumps(view)}")

    # The historian

    async def start_due(self) -> None:
        self.asked.append("start_due")

    async def compare(self, _incident: int) -> list[str]:
        self.asked.append("compare")
        return []

    # What somebody does

    async def answered(self, work: Awaitable[Rendered | None]) -> str:
        """What somebody is answered; whatever fails, fails here."""
        try:
            said = await work
        except Refused as refused:
            said = self.edge.refused(refused)
        while self.edge.background:
            await asyncio.wait(self.edge.background)
            await asyncio.sleep(0)
        return said.text + json.dumps(said.blocks) if said else ""

    def does(self, deed: "Deed", by: UserId) -> tuple[str, list[str]]:
        """The answer, and all that was asked for it."""
        self.asked.clear()
        answer = self.runner.run(self.answered(deed(self, by)))
        return answer, list(self.asked)


Deed = Callable[[World, UserId], Awaitable[Rendered | None]]


def people_in(room: Room, channel: str) -> list[UserId]:
    return [UserId(user) for user in room.ask(people.members, TEAM, channel)]


def a_world(folder: Path, state: str, url: str | None = None) -> World:
    """An incident that nobody hides, and one whose every part says the canary."""
    room = a_room(folder, url)
    room.desk.house = replace(room.desk.house, seal=SEAL)
    room.change(_profiles)
    an_incident(room, title="Nothing to hide", lead=JONAS, channel=ELSEWHERE)
    room.change(lambda db: channels.enter(db, TEAM, ChannelFacts(channel=ELSEWHERE, name="else"), now=room.now))
    is_private = state in {"private", "made public in Slack alone"}
    inside = ChannelFacts(channel=SECRET, name="inc", private=is_private, members=(MARA, TOMAS))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    private_since = room.now if is_private else None
    incident = an_incident(room, title=f"The {CANARY}", lead=MARA, channel=SECRET, private=private_since)
    ts = room.change(lambda db: _fill(db, room, incident))
    room.serve(facilitating.start, where=Where(Place(SECRET)), by=MARA)
    left = MembershipFact(channel=SECRET, user=TOMAS, how="left", at=room.now)
    room.change(lambda db: channels.keep_membership(db, TEAM, left))
    _convert(room, state)
    return World(room, state, ts)


def _profiles(db: Session) -> None:
    for profile in PROFILES:
        fact = read_person(profile)
        assert fact
        channels.keep_person(db, TEAM, fact, now=Room.now)


def _convert(room: Room, state: str) -> None:
    if state == "made private":
        fact = ChannelFact(channel=SECRET, at=room.now, how="made_private")
        room.change(lambda db: channels.keep_channel(db, TEAM, fact))
    if state == "made public in Slack alone":
        opened = ChannelFacts(channel=SECRET, name="inc", private=False)
        room.change(lambda db: channels.enter(db, TEAM, opened, now=room.now))


def _fill(db: Session, room: Room, incident: int) -> str:
    """Everything that an incident can have; the outsiders have a part in all of it."""
    its = incidents.get(db, incident)
    its.summary, its.impact = f"The {CANARY} died.", Impact(customers=CANARY).to_json()
    for name in ("began", "detected", "mitigated"):
        incidents.set_moment(db, its, name, room.now, by=MARA, how="set", now=room.now)
    said = Message(team_id=TEAM, channel_id=SECRET, ts=TS, posted_at=moment_of(TS), user_id=PRIYA)
    said.text = said.plain = f"rolled back the {CANARY}"
    db.add(said)
    for number in range(EVENTS):
        row = TimelineEvent(
            team_id=TEAM,
            incident_id=incident,
            number=incidents.next_event_number(db, incident),
            kind="decision",
            occurred_at=room.now + timedelta(minutes=number),
            recorded_at=room.now,
            text=f"{CANARY} {number}",
            by=PRIYA,
            source="typed",
        )
        db.add(row)
        db.flush()
        db.add(EventComment(team_id=TEAM, event_id=row.id, text=CANARY, by=PRIYA, at=room.now))
    for kind in FindingKind:
        findings.add(db, its, kind=kind, sort=None, text=CANARY, by=PRIYA, event=None, now=room.now)
    owners = (*OUTSIDERS.values(), MARA)
    for number in range(ACTIONS):
        due = (room.now + timedelta(days=number - 3)).date()
        words = Proposal(text=f"feed the {CANARY}", owner=owners[number % len(owners)], due=due, horizon="quick")
        actions.propose(db, its, words, by=MARA, now=room.now)
    for role, user in ((Role.facilitator, PRIYA), (Role.scribe, TOMAS), (Role.owner, PRIYA)):
        incidents.give_role(db, its, role, user, by=MARA, now=room.now)
    incidents.give_role(db, its, Role.facilitator, MARA, by=MARA, now=room.now)
    review = reviews.of(db, its)
    review.draft, review.drafted_at, review.published_at = CANARY, room.now, room.now
    meeting = reviews.add_meeting(db, review, minutes=60)
    meeting.scheduled_at = meeting.meets_at = room.now
    for user in owners:
        attending.invite(db, meeting, user, core=room.now, now=room.now)
        for part in ("facilitator", "scribe", rota.SHADOW):
            rota.ask(db, its, meeting, part, user=user, now=room.now)
    sealed.put(db, meeting, [SEAL.close(Answer(CANARY, PRIYA))], mark=SEAL.mark(review.id, TOMAS))
    return said.ts


def without_it(world: World) -> World:
    """The same to the last row, but the private incident is another workspace's."""
    world.room.change(_give_away)
    return world


def _give_away(db: Session) -> None:
    secret = 2
    review = select(Review.id).where(Review.incident_id == secret).scalar_subquery()
    of_parent = {
        "incident_id": secret,
        "review_id": review,
        "meeting_id": select(Attendee.meeting_id).limit(1).scalar_subquery(),
    }
    for table in Base.metadata.sorted_tables:
        mine = [table.c[name] == value for name, value in of_parent.items() if name in table.c]
        if "channel_id" in table.c and table.name not in {"channels", "memberships"}:
            mine.append(table.c.channel_id == SECRET)
        if table.name == "incidents":
            mine = [table.c.id == secret]
        if table.name == "event_comments":
            mine = [literal(value=True)]
        for condition in mine:
            db.execute(update(table).where(condition).values(team_id="T0OTHER"))


# What people do -----------------------------------------------------------------------------------


def typed(text: str) -> Deed:
    """In its channel, where a form may be opened."""
    return lambda world, by: perform(world.edge, Gesture(by, Place(SECRET), "t"), text)


def pressed(text: str) -> Deed:
    """Somewhere else, on a button that names it."""
    there = Place(ELSEWHERE)
    return lambda world, by: perform(world.edge, Gesture(by, there, "t", incident=2, pressed=True), text)


def typed_elsewhere(text: str) -> Deed:
    """In the channel of an incident that everybody in it may see."""
    return lambda world, by: perform(world.edge, Gesture(by, Place(ELSEWHERE), "t"), text)


def sent(form: str, place: ChannelId) -> Deed:
    """A form that says it is about it."""

    def send(world: World, by: UserId) -> Awaitable[Rendered | None]:
        memory = Memory(form=form, incident=2, channel=place, ts=world.ts, number=1, word=WORDS.get(form, "[]"))
        gesture = Gesture(by, memory.place, incident=2)
        return forms._serve(world.edge, gesture, memory, dict(ANSWERS) | KINDS.get(form, {}))

    return send


WORDS = {"answer": "What did you see?", "decline": "decline", "block": "block", "role": "scribe"}
KINDS: Mapping[str, dict[str, str]] = {"tag": {"kind": "decision"}, "event": {"kind": "decision"}}
ANSWERS: Mapping[str, Any] = {
    "text": "it was quiet",
    "kind": "risk",
    "owner": MARA,
    "horizon": "quick",
    "when": "1795010401",
    "words": "actions",
    "url": "https://example.com/r",
    "happened": "It broke",
    "felt": "Buyers waited",
    "fixed": "A rollback",
    "stops": ["1"],
    "inquiries": "1",
    "title": "Open",
    "customers": "some",
    "deployed": "https://example.com/1",
    "keep_0": [f"{SECRET} {TS}"],
    "reason": "The room is taken",
    "core": [MARA, PRIYA],
    "leaders": [JONAS],
    "data": "lost",
    "signed": "name",
}


def shortcut(form: str) -> Deed:
    """On a message of its channel."""
    return lambda world, by: shortcuts._open(world.edge, Gesture(by, Place(SECRET), "t"), form, world.ts)


def home(world: World, by: UserId) -> Awaitable[Rendered | None]:
    return world.edge.look(lambda turn: world.edge.said("home", **searching.home(turn, by)))


MORE = (
    "",
    "help",
    f"search {CANARY}",
    f'search "{CANARY}"',
    "search page:2 zebra",
    "actions all",
    "actions mine",
    "action 1",
    "action 2 commit",
    "action 2 done",
    "action 2 owner <@U0PRIYA>",
    "report md",
    "report html",
    "report pdf",
    "report csv",
    "candidates form",
    f"candidates keep C0SECRET {TS}",
    "summary form",
    "schedule form",
    "schedule async keep 3",
    "schedule apart",
    "schedule apart off",
    "postpone form",
    "postpone form 1763722800",
    "postpone off",
    "postpone why",
    "invite form",
    "facilitator form",
    "facilitator pass",
    "facilitator leave",
    "scribe take",
    "surprise",
    "skip no meeting needed",
)
OUTSIDE = ("", "include <#C0SECRET|inc>", "publish <#C0SECRET|inc>", "actions all", "timeline all", "open", "report md")
WELL_FORMED = tuple(dict.fromkeys([*(text for text, _ in EXAMPLES), *MORE]))
DEEDS: Mapping[str, Deed] = (
    {f"types {text!r} in its channel": typed(text) for text in dict.fromkeys([*WELL_FORMED, *VERBS])}
    | {f"presses {text!r} elsewhere": pressed(text) for text in WELL_FORMED}
    | {f"types {text!r} elsewhere": typed_elsewhere(text) for text in OUTSIDE}
    | {f"sends {form} from {place}": sent(form, place) for form in FORMS for place in (SECRET, ELSEWHERE)}
    | {f"takes {form} on a message": shortcut(form) for form in shortcuts.FORM_OF.values()}
    | {"opens the Home tab": home}
)


def outsiders(state: str) -> dict[str, UserId]:
    return OUTSIDERS if state != "public" else {who: OUTSIDERS[who] for who in ("guest", "other workspace")}


LIKELIEST = {("private", "colleague"), ("made private", "former member"), ("made public in Slack alone", "colleague")}
"""Who comes by most, and could see most before: each of them tries everything, wherever `make test` runs."""


def all_of(state: str) -> dict[str, Deed]:
    """Whoever speaks in the one public channel of an incident sees it there; elsewhere guests and partners do not."""
    if state == "public":
        return {name: deed for name, deed in DEEDS.items() if name.endswith(("elsewhere", ELSEWHERE))}
    return {name: deed for name, deed in DEEDS.items() if not name.endswith(f"from {ELSEWHERE}")}


def tried(state: str, who: str) -> dict[str, Deed]:
    """Everything by the likeliest; the others share it out, so that in each state each deed is some other's, too."""
    if (state, who) in LIKELIEST:
        return all_of(state)
    others = [one for one in outsiders(state) if (state, one) not in LIKELIEST]
    return dict(list(all_of(state).items())[others.index(who) :: len(others)])


# The matrix ----------------------------------------------------------------------------------------


def test_every_verb_form_and_shortcut_is_tried():
    assert {look_up(text)[0].name for text in WELL_FORMED if text not in {"", "help"}} == set(VERBS)
    assert {form for form in FORMS if any(f"sends {form} " in name for name in DEEDS)} == set(FORMS)


@pytest.mark.parametrize("state", STATES)
def test_in_each_state_everything_is_tried_by_somebody(state: str):
    assert {name for who in outsiders(state) for name in tried(state, who)} == set(all_of(state))


@pytest.fixture(scope="module", params=STATES)
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    known = a_world(tmp_path_factory.mktemp("known"), request.param)
    unknown = without_it(a_world(tmp_path_factory.mktemp("unknown"), request.param))
    yield known, unknown
    closed(known, unknown)


def closed(*worlds: World) -> None:
    for world in worlds:
        world.runner.close()
        world.room.storage.close()


@pytest.mark.parametrize("who", OUTSIDERS)
def test_to_an_outsider_it_does_not_exist_in_words_or_in_time(worlds: tuple[World, World], who: str):
    known, unknown = worlds
    if who not in outsiders(known.state):
        return

    assert told_apart(known, unknown, tried(known.state, who), OUTSIDERS[who]) == {}


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", OUTSIDERS)
def test_it_does_not_exist_for_any_outsider_whatever_they_do(worlds: tuple[World, World], who: str):
    known, unknown = worlds
    if who not in outsiders(known.state):
        return

    assert told_apart(known, unknown, all_of(known.state), OUTSIDERS[who]) == {}


def told_apart(known: World, unknown: World, deeds: Mapping[str, Deed], by: UserId) -> dict[str, list[str]]:
    """The deeds that tell the worlds apart, and how."""
    found = {name: differences(known, unknown, deed, by) for name, deed in deeds.items()}
    return {name: what for name, what in found.items() if what}


def differences(known: World, unknown: World, deed: Deed, by: UserId) -> list[str]:
    """What tells the worlds apart; the canary in an answer as well, unless it was typed."""
    (one, asked), (other, asked_there) = known.does(deed, by), unknown.does(deed, by)
    found = [] if one == other else [f"answers {one[:300]!r}, not {other[:300]!r}"]
    more, less = Counter(asked) - Counter(asked_there), Counter(asked_there) - Counter(asked)
    if more or less:
        found.append(f"asks {[*more]!r} more, {[*less]!r} less")
    return found


def test_an_outsiders_emoji_says_nothing_and_a_former_members_still_does(private: tuple[World, World]):
    world = private[0]
    confirmed = list[list[str]]()
    for user in (PRIYA, TOMAS):
        fact = ReactionFact(
            channel=SECRET, ts=world.ts, user=user, name="pushpin", changed_ts="1795010500.000100", held=True
        )
        world.room.change(lambda db, fact=fact: reactions.keep(db, TEAM, fact))
        world.room.serve(tagging.follow_reactions, channel=SECRET, ts=world.ts)
        marks = select(OutboxNote.key).where(OutboxNote.kind == "mark")
        confirmed.append(world.room.ask(lambda db, marks=marks: db.scalars(marks).all()))

    assert [len(marks) for marks in confirmed] == [0, 1]


@pytest.mark.parametrize("to", [ELSEWHERE, ChannelId("C0NEW")])
def test_it_is_never_published_wider_than_its_channels_members(private: tuple[World, World], to: ChannelId):
    world = private[0]
    world.room.change(lambda db: _end(db, world))

    answer, _ = world.does(lambda here, by: perform(here.edge, in_its_channel(by), f"publish <#{to}|elsewhere>"), MARA)

    assert "This incident is private" in answer
    assert world.room.transcript(to) == []


def in_its_channel(by: UserId) -> Gesture:
    return Gesture(by, Place(SECRET), "t", pressed=True)


def _end(db: Session, world: World) -> None:
    its = incidents.get(db, 2)
    incidents.give_role(db, its, Role.owner, MARA, by=MARA, now=world.room.now)
    meeting = reviews.open_meeting(db, reviews.of(db, its))
    assert meeting
    meeting.ended_at = world.room.now


def test_what_an_outsider_is_told_unasked_is_the_same(worlds: tuple[World, World]):
    """Reminders, calls, pre-reads and drafts: they own its actions, are invited, and had roles in it."""
    for world in worlds:
        for _ in range(DAYS):
            world.room.pass_time(hours=12)
            _ticks(world)

    known, unknown = ({who: _told(world, by) for who, by in OUTSIDERS.items()} for world in worlds)

    mine = outsiders(worlds[0].state)
    assert {who: known[who] for who in mine} == {who: unknown[who] for who in mine}


DAYS = 20
"""Twelve hours each: the rungs of what is due, and the day after the meeting."""


def _ticks(world: World) -> None:
    for question, abilities in clock.EACH.items():
        world.room.desk.serve_each(question, *abilities)
    for ability in clock.TABLE:
        world.room.desk.serve_if_due(ability)


def _told(world: World, by: UserId) -> list[str]:
    to_them = (OutboxNote.channel_id == by) | (OutboxNote.user_id == by)
    mine = select(OutboxNote.text).where(OutboxNote.team_id == TEAM, to_them).order_by(OutboxNote.id)
    return world.room.ask(lambda db: db.scalars(mine).all())


@pytest.mark.postgres
def test_it_is_the_same_on_postgresql(tmp_path: Path, postgresql_server: Server, migrated_postgresql: Stock):
    urls = [postgresql_server.create(template=migrated_postgresql.template) for _ in range(2)]
    known, unknown = (a_world(tmp_path, "made public in Slack alone", url) for url in urls)
    without_it(unknown)
    sample = [name for name in DEEDS if name.startswith("presses")][::4]

    told = told_apart(known, unknown, {name: DEEDS[name] for name in sample}, PRIYA)

    closed(known, unknown)
    assert told == {}


# That it can fail --------------------------------------------------------------------------------------


@pytest.fixture
def private(tmp_path: Path) -> Iterator[tuple[World, World]]:
    (tmp_path / "unknown").mkdir()
    known = a_world(tmp_path, "made public in Slack alone")
    unknown = without_it(a_world(tmp_path / "unknown", known.state))
    yield known, unknown
    closed(known, unknown)


ALIKE_TO_ALL = {"help", "search connection pool", "action 12", "actions 12 commit", "reminders snooze"}
"""What a member is answered alike in both worlds: it is about nothing that is there."""


def test_a_member_is_told_of_it_at_every_door(private: tuple[World, World]):
    deeds = {text: typed(text) for text in WELL_FORMED if not text.startswith("open")}

    at_home = differences(*private, home, MARA)
    alike = {text for text, deed in deeds.items() if not differences(*private, deed, MARA)}

    assert at_home
    assert alike <= ALIKE_TO_ALL


def test_where_everybody_may_see_everything_the_matrix_fails(
    private: tuple[World, World], monkeypatch: pytest.MonkeyPatch
):
    deeds = {text: pressed(text) for text in WELL_FORMED}
    for module in (incidents, actions, reports, search):
        monkeypatch.setattr(module, "visible_to", lambda *_, **__: literal(value=True))
    search._looked_up.cache_clear()
    try:
        told = {text for text, deed in deeds.items() if differences(*private, deed, PRIYA)}
        at_home = differences(*private, home, PRIYA)
    finally:
        search._looked_up.cache_clear()

    assert at_home
    assert {"", "timeline all", "action 1", f"search {CANARY}", "report md", "start", "close"} <= told
