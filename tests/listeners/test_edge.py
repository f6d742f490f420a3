"""The edge: whose gesture it was and where, and how its answer gets back."""

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk import Note, Notes, Replayed, Turn
from bot.listeners import deeds
from bot.listeners import edge as edge_module
from bot.listeners.deeds import Deed, do
from bot.listeners.edge import (
    WAITING,
    Edge,
    Gesture,
    answer,
    answer_form,
    answer_press,
    is_whisper,
    of_command,
    of_mention,
    of_press,
    outcome,
    place_of,
)
from bot.listeners.incident_forms import NotAnAmount, NotANumber
from bot.render import Rendered
from bot.review.incident import ChannelId, Place, UserId
from bot.review.refusal import (
    NoIncidentHere,
    NotInChannel,
    NotOneOfUs,
    PlaceStaysPrivate,
    Refused,
    UnknownSeverity,
)
from bot.sandbox.validation import view_errors
from storage import channels
from storage.incidents import Where
from storage.models import Channel
from tests.cast import CHANNEL, MARA, TEAM, TOMAS, Room, a_room

Call = dict[str, Any]


class Back:
    """The ways back to Slack; remembers what was sent, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Call]] = []

    async def ack(self, **what: Any) -> None:
        self.sent.append(("ack", what))

    async def respond(self, **what: Any) -> None:
        self.sent.append(("respond", what))

    @property
    def words(self) -> list[tuple[str, str]]:
        return [(way, str(what.get("text", ""))) for way, what in self.sent]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


@pytest.fixture
def back() -> Back:
    return Back()


async def say(text: str, after_s: float = 0.0) -> Rendered:
    await asyncio.sleep(after_s)
    return Rendered(text, [])


async def fail(error: Exception) -> Rendered:
    raise error


async def give(edge: Edge, back: Back, work: Any) -> None:
    await answer(edge, back.ack, back.respond, work)  # pyright: ignore[reportArgumentType]


# Answers ---------------------------------------------------------------------------------------


async def test_an_answer_goes_back_with_the_acknowledgement(edge: Edge, back: Back):
    await give(edge, back, say("done"))

    assert back.sent == [("ack", {"text": "done", "blocks": [], "response_type": "ephemeral"})]


async def test_what_takes_longer_is_said_to_be_under_way_and_answered_afterwards(
    edge: Edge, back: Back, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(edge_module, "PATIENCE_S", 0.05)

    await give(edge, back, say("done at last", after_s=0.2))

    assert [way for way, _ in back.words] == ["ack", "respond"]
    assert back.words[1] == ("respond", "done at last")
    assert back.sent[1][1]["replace_original"] is False


async def test_a_refusal_is_its_sentence_to_that_person_alone(edge: Edge, back: Back):
    await give(edge, back, fail(NoIncidentHere()))

    assert "`/review open` starts one" in back.words[0][1]
    assert back.sent[0][1]["response_type"] == "ephemeral"


async def test_a_failure_is_one_apology_whose_number_stands_in_the_log(
    edge: Edge, back: Back, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.ERROR, "debrief"):
        await give(edge, back, fail(LookupError("swordfish")))

    reference = caplog.records[0].__dict__["reference"]
    assert reference in back.words[0][1]
    assert "swordfish" not in back.words[0][1]


async def test_a_gesture_served_before_is_acknowledged_without_a_word(edge: Edge, back: Back):
    await give(edge, back, fail(Replayed()))

    assert back.sent == [("ack", {})]


@pytest.mark.parametrize(("replaces", "instead"), [("whisper", True), ("nothing", False)])
async def test_a_press_is_answered_in_the_place_of_the_whisper_it_came_from(
    edge: Edge, back: Back, *, replaces: str, instead: bool
):
    await answer_press(edge, back.ack, back.respond, say("done"), replaces=replaces)  # pyright: ignore[reportArgumentType]

    assert back.words == [("ack", ""), ("respond", "done")]
    assert back.sent[1][1]["replace_original"] is instead


async def send(edge: Edge, back: Back, work: Any) -> None:
    gesture = Gesture(MARA, Place(CHANNEL), mark="form:V1")
    await answer_form(edge, back.ack, gesture, work, beside="text")  # pyright: ignore[reportArgumentType]


async def test_a_form_that_was_taken_is_closed_and_answered_in_its_place(edge: Edge, back: Back, room: Room):
    await send(edge, back, say("noted"))

    assert back.sent == [("ack", {})]
    assert room.transcript(CHANNEL) == ["noted"]


async def test_what_is_in_the_way_of_a_form_stands_beside_its_field_as_it_was_typed(edge: Edge, back: Back, room: Room):
    await send(edge, back, fail(UnknownSeverity(words="<bad & worse>")))

    said = "“<bad & worse>” is not a severity. Choose “sev1”, “sev2”, “sev3” or “sev4”; “sev1” is the most severe."
    assert back.sent == [("ack", {"response_action": "errors", "errors": {"text": said}})]
    assert room.transcript() == []


def a_channel(room: Room, channel: str, name: str, private: datetime | None, *members: str) -> None:
    row = Channel(team_id=TEAM, channel_id=channel, name=name, private_since=private)
    room.change(lambda db: db.add(row))
    room.change(lambda db: channels.know_members(db, TEAM, ChannelId(channel), members, now=room.now))


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (NotOneOfUs(user=TOMAS), "I cannot ask anything of @Tomas: it has to be a person of this workspace."),
        (NotOneOfUs(user="U0NOBODY"), "I cannot ask anything of that person: it has to be"),
        (NotInChannel(channel="C0OPEN"), "I am not in #war-room yet. Invite me there with “/invite”, then try again."),
        (NotInChannel(channel="C0MINE"), "I am not in #our-own yet."),
        (NotInChannel(channel="C0SECRET"), "I am not in that channel yet."),
        (PlaceStaysPrivate(channel="C0SECRET"), "That channel is private, and not everybody"),
        (UnknownSeverity(words="a\0b \ud800 <@U0TOMAS>"), "“ab � @Tomas” is not a severity."),
    ],
)
async def test_a_form_shows_names_and_no_marks_of_slack(
    edge: Edge, back: Back, room: Room, refused: Refused, said: str
):
    a_channel(room, "C0OPEN", "war-room", None)
    a_channel(room, "C0MINE", "our-own", room.now, MARA)
    a_channel(room, "C0SECRET", "layoffs", room.now, TOMAS)

    await send(edge, back, fail(refused))

    words = back.sent[0][1]["errors"]["text"]
    assert words.startswith(said)
    assert not {"`", "<", ">"} & {*words}


@pytest.mark.parametrize(("refused", "field"), [(NotAnAmount(), "lost"), (NotANumber(), "inquiries")])
async def test_what_is_wrong_with_one_field_stands_beside_that_one(
    edge: Edge, back: Back, refused: Refused, field: str
):
    await send(edge, back, fail(refused))

    words = refused.sentence().replace(" `", " “").replace("`", "”")
    assert back.sent == [("ack", {"response_action": "errors", "errors": {field: words}})]


async def test_a_form_is_closed_before_slack_gives_up_and_answered_when_the_answer_is_known(
    edge: Edge, back: Back, room: Room, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(edge_module, "PATIENCE_S", 0.05)

    async def refuse_slowly() -> Rendered:
        await asyncio.sleep(0.2)
        raise NoIncidentHere

    await send(edge, back, refuse_slowly())

    assert back.sent == [("ack", {})]
    assert "`/review open` starts one" in room.transcript(CHANNEL)[0]


async def test_work_without_an_open_request_is_whispered_once(edge: Edge, room: Room):
    gesture = of_mention({"user": MARA, "channel": CHANNEL, "ts": "1.000100", "thread_ts": "1.000000"})

    for _ in range(2):
        said = await outcome(edge, say("here it stands"))
        assert said
        await edge.whisper(said, gesture)

    assert room.transcript(CHANNEL) == ["here it stands"]


async def test_a_gesture_is_served_once_however_often_it_comes(edge: Edge, room: Room):
    def note(turn: Turn, *, by: str) -> Notes:
        del turn, by
        served.append(1)
        yield Note.once("k", "refused", Place(CHANNEL), sentence="hello")

    served: list[int] = []

    await edge.serve(note, by=MARA, mark="m")
    with pytest.raises(Replayed):
        await edge.serve(note, by=MARA, mark="m")

    assert (served, room.transcript()) == ([1], ["hello"])


async def test_a_person_slack_does_not_tell_of_is_served_all_the_same(edge: Edge):
    await edge.meet("U0STRANGER")

    said = await outcome(edge, say("hello"))
    assert said
    assert said.text == "hello"


async def test_what_fails_in_the_background_stands_in_the_log(edge: Edge, caplog: pytest.LogCaptureFixture):
    async def fetch() -> None:
        raise LookupError

    edge.in_background(fetch())
    await asyncio.sleep(0.01)

    assert [record.getMessage() for record in caplog.records] == ["something in the background failed"]
    assert edge.background == set()


async def test_a_failing_agenda_takes_back_nothing_that_was_said(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def note(_: Turn, *, where: Where, by: str) -> Notes:
        yield Note.private(UserId(by), "refused", sentence=f"noted in {where.place.channel}")

    def refresh(_: Turn, **_what: Any) -> Notes:
        raise LookupError

    monkeypatch.setattr(deeds, "SHOWN", (refresh,))
    said = await outcome(edge, do(edge, Gesture(MARA, Place(CHANNEL)), Deed(note, {}, touches_agenda=True)))
    await _everything_else(edge)

    assert said
    assert said.text == f"noted in {CHANNEL}"
    assert [record.getMessage() for record in caplog.records] == ["something in the background failed"]


async def _everything_else(edge: Edge) -> None:
    """It may have begun and ended before the answer was there."""
    while edge.background:
        await asyncio.wait(edge.background)
        await asyncio.sleep(0)


# Reading what Slack sends ------------------------------------------------------------------------


def test_a_command_tells_who_and_where():
    gesture = of_command({"user_id": "U1", "channel_id": "C1", "trigger_id": "t"}, "m")

    assert (gesture.by, gesture.place, gesture.trigger, gesture.mark) == ("U1", Place(ChannelId("C1")), "t", "m")
    assert not gesture.pressed


def test_a_mention_is_of_its_thread():
    gesture = of_mention({"user": "U1", "channel": "C1", "ts": "2.0", "thread_ts": "1.0"})

    assert gesture.place == Place(ChannelId("C1"), "1.0")
    assert gesture.mark == "mention:C1:2.0"


def a_press(value: str | None, **more: Any) -> Call:
    action = {"type": "button", "action_id": "review:next:0_0"} | ({} if value is None else {"value": value})
    return {"type": "block_actions", "user": {"id": "U1"}, "channel": {"id": "C1"}, "actions": [action]} | more


def test_a_press_types_its_verb_about_its_incident():
    gesture, typed = of_press(a_press('{"text": "7", "incident": 3}'), "m")

    assert (typed, gesture.incident, gesture.pressed, gesture.mark) == ("next 7", 3, True, "m")


@pytest.mark.parametrize("value", [None, "", "not json", "[]", "7", '"x"', "null"])
def test_a_button_with_a_strange_value_types_its_verb_alone(value: str | None):
    gesture, typed = of_press(a_press(value), None)

    assert (typed, gesture.incident) == ("next", None)


def test_a_menu_types_what_was_chosen():
    action = {"action_id": "review:open:0_0", "selected_option": {"value": '{"text": "sev2", "incident": null}'}}

    assert of_press({"user": {"id": "U1"}, "actions": [action]}, None)[1] == "open sev2"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"channel": {"id": "C1"}, "message": {"ts": "1.0", "thread_ts": "0.5"}}, Place(ChannelId("C1"), "0.5")),
        ({"channel": {"id": "C1"}, "message": {"ts": "0.5", "thread_ts": "0.5"}}, Place(ChannelId("C1"))),
        ({"container": {"channel_id": "C1", "thread_ts": "0.5"}}, Place(ChannelId("C1"), "0.5")),
        ({"channel": {"id": "C1"}, "message": None}, Place(ChannelId("C1"))),
        ({"view": {"type": "home"}}, Place(ChannelId(""))),
    ],
)
def test_an_interaction_happened_where_its_message_is(body: Call, place: Place):
    assert place_of(body) == place


def test_a_whisper_is_known_by_its_container():
    assert is_whisper({"container": {"is_ephemeral": True}})
    assert not is_whisper({"container": {"is_ephemeral": False}})
    assert not is_whisper({})


# Forms ---------------------------------------------------------------------------------------


class Views(AsyncWebClient):
    """Remembers which forms were opened, and which took another's place."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[str, str]] = []

    async def api_call(self, api_method: str, **what: Any) -> Any:
        view = what["json"]["view"]
        self.shown.append((api_method, (json.loads(view) if isinstance(view, str) else view)["title"]["text"]))
        return {"ok": True, "view": {"id": "V1"}}


async def a_form(after_s: float) -> Call:
    await asyncio.sleep(after_s)
    return {"type": "modal", "title": {"type": "plain_text", "text": "Worth keeping"}, "blocks": []}


@pytest.mark.parametrize(
    ("after_s", "shown"),
    [
        (0.0, [("views.open", "Worth keeping")]),
        (0.3, [("views.open", "One moment"), ("views.update", "Worth keeping")]),
    ],
)
async def test_a_form_that_takes_long_to_build_is_announced_while_its_trigger_is_good(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, after_s: float, shown: list[tuple[str, str]]
):
    monkeypatch.setattr(edge_module, "FORM_PATIENCE_S", 0.1 if after_s else 60)
    edge.client = Views()

    await edge.open_form("1.2.3", a_form(after_s))

    assert edge.client.shown == shown


def test_the_form_that_announces_another_is_one_that_slack_takes():
    assert view_errors(WAITING) == []
