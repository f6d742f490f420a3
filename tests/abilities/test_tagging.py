from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import tagging
from bot.clock import waiting_messages
from bot.desk import House
from bot.review.heard import MessageFact, ReactionFact, read_event
from bot.review.incident import Place, UserId
from bot.review.refusal import InTheFuture, NeedsText, NoIncidentHere, NoSuchEvent, UnknownKind
from bot.review.timeline import Outcome
from bot.review.when import read_when
from bot.sandbox.validation import message_errors
from bot.tagging import NotKept
from storage import messages, reactions, timeline
from storage.incidents import Where
from storage.models import Change, EventComment, OutboxNote, Source, TimelineEvent
from tests.cast import CHANNEL, HERE, JONAS, MARA, NOVEMBER_18, PRIYA, TEAM, TOMAS, Room, a_message, an_incident

BOT = UserId("U0DEBRIEF")
EMOJI = {"pushpin": "guess", "clipboard": "action", "scales": "decision", "hammer_and_wrench": "action_taken"}


@pytest.fixture
def incident(room: Room) -> int:
    room.house = replace(room.house, emoji=EMOJI)
    room.desk.house = room.house
    return an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=1))


def react(room: Room, ts: str, name: str = "pushpin", by: str = MARA, **how: Any) -> None:
    """An emoji is put on a message or taken away, and its consequences are drawn."""
    emoji_comes(room, ts, name, by, **how)
    room.serve(tagging.follow_reactions, channel=CHANNEL, ts=ts)


def emoji_comes(room: Room, ts: str, name: str = "pushpin", by: str = MARA, **how: Any) -> None:
    """It is kept, and nothing follows from it yet."""
    room.pass_time(seconds=10)
    changed = how.get("changed_ts") or f"{room.now.timestamp():.6f}"
    fact = ReactionFact(
        channel=CHANNEL, ts=ts, user=by, name=name, changed_ts=changed, held=not how.get("removed", False)
    )
    room.change(lambda db: reactions.keep(db, TEAM, fact))


def unreact(room: Room, ts: str, name: str = "pushpin", by: str = MARA) -> None:
    react(room, ts, name, by, removed=True)


def hear(room: Room, **event: Any) -> None:
    facts = [
        fact for fact in read_event({"type": "message", "channel": CHANNEL} | event) if isinstance(fact, MessageFact)
    ]
    room.change(lambda db: messages.keep(db, TEAM, *facts))


def on_it(room: Room, incident: int) -> list[tuple[int, str, str | None]]:
    return room.ask(lambda db: [(e.number, e.kind, e.words) for e in timeline.told(db, incident)])


def times(room: Room, incident: int) -> list[datetime]:
    return room.ask(lambda db: [e.occurred_at for e in timeline.told(db, incident)])


def marks(room: Room) -> list[tuple[str, str, str]]:
    """Our own emoji as the courier will see them: kind, message, emoji; a minus takes one away."""
    query = select(OutboxNote).order_by(OutboxNote.id)
    return room.ask(lambda db: [(n.kind, n.thread_ts, n.text) for n in db.scalars(query)])


def history(room: Room, number: int) -> list[tuple[str, str | None, str | None, str | None]]:
    query = select(Change).join(TimelineEvent, TimelineEvent.id == Change.subject_id)
    query = query.where(Change.subject == "event", TimelineEvent.number == number).order_by(Change.id)
    return room.ask(lambda db: [(c.what, c.before, c.after, c.by) for c in db.scalars(query)])


# Emoji -------------------------------------------------------------------------------------


def test_an_emoji_makes_a_message_an_event_at_the_time_it_was_posted(room: Room, incident: int):
    ts = a_message(room, "let's roll back to 41", at=NOVEMBER_18 - timedelta(minutes=9))

    react(room, ts)

    assert on_it(room, incident) == [(1, "decision", "let's roll back to 41")]
    assert times(room, incident)[0] == NOVEMBER_18 - timedelta(minutes=9)


def test_it_is_confirmed_with_one_emoji_and_no_message(room: Room, incident: int):
    ts = a_message(room, "rolling back")

    react(room, ts)
    react(room, ts, by=TOMAS)
    react(room, ts, "scales")

    assert marks(room) == [("mark", ts, "memo")]


def test_one_message_is_one_event_however_many_emoji(room: Room, incident: int):
    ts = a_message(room, "rolled back")

    for by in (MARA, TOMAS, PRIYA):
        react(room, ts, by=by)
        react(room, ts, "scales", by=by)

    assert len(on_it(room, incident)) == 1


def test_the_last_kind_given_by_emoji_wins(room: Room, incident: int):
    ts = a_message(room, "hm")

    react(room, ts, "scales")
    react(room, ts, "hammer_and_wrench", by=TOMAS)
    react(room, ts, by=PRIYA)
    kinds = [kind for _, kind, _ in on_it(room, incident)]
    unreact(room, ts, "hammer_and_wrench", by=TOMAS)

    assert [*kinds, *(kind for _, kind, _ in on_it(room, incident))] == ["action_taken", "decision"]


def test_the_last_kind_given_wins_whether_by_word_or_by_emoji(room: Room, incident: int):
    ts = a_message(room, "hm")
    react(room, ts, "scales")

    room.pass_time(minutes=1)
    room.serve(tagging.sort_event, where=HERE, by=MARA, number=1, words="detection")
    react(room, ts, by=TOMAS)
    by_word = on_it(room, incident)
    react(room, ts, "hammer_and_wrench", by=PRIYA)

    assert (by_word[0][1], on_it(room, incident)[0][1]) == ("detection", "action_taken")


def test_it_leaves_when_nobody_holds_an_emoji_any_more_and_our_own_goes_with_it(room: Room, incident: int):
    ts = a_message(room, "rolled back")
    react(room, ts)
    react(room, ts, by=TOMAS)

    unreact(room, ts)
    still = on_it(room, incident)
    unreact(room, ts, by=TOMAS)

    assert (len(still), on_it(room, incident)) == (1, [])
    assert marks(room) == [("mark", ts, "-memo")]


def test_it_comes_back_with_its_number(room: Room, incident: int):
    ts = a_message(room, "rolled back")
    react(room, ts)
    unreact(room, ts)

    react(room, ts)

    assert [number for number, _, _ in on_it(room, incident)] == [1]
    assert marks(room) == [("mark", ts, "memo")]


@pytest.mark.parametrize(
    ("ability", "what"), [(tagging.edit_event, "in other words"), (tagging.comment_event, "that was brave")]
)
def test_what_somebody_worded_or_commented_stays_without_an_emoji(
    room: Room, incident: int, ability: Callable[..., Any], what: str
):
    ts = a_message(room, "rolled back")
    react(room, ts)

    room.serve(ability, where=HERE, by=TOMAS, number=1, text=what)
    unreact(room, ts)

    assert len(on_it(room, incident)) == 1


def test_after_a_drop_older_emoji_do_not_bring_it_back_and_a_newer_one_does(room: Room, incident: int):
    ts = a_message(room, "rolled back")
    early = f"{room.now.timestamp() + 5:.6f}"
    react(room, ts)
    room.pass_time(minutes=1)
    room.serve(tagging.drop_event, where=HERE, by=MARA, number=1)

    react(room, ts, by=TOMAS, changed_ts=early)
    after_an_older_one = on_it(room, incident)
    react(room, ts, by=PRIYA)

    assert (after_an_older_one, len(on_it(room, incident))) == ([], 1)


@pytest.mark.parametrize(("by", "name"), [(BOT, "pushpin"), (MARA, "eyes"), (MARA, "clipboard")])
def test_our_own_emoji_everyday_ones_and_proposals_make_no_event(room: Room, incident: int, by: str, name: str):
    react(room, a_message(room, "rolled back"), name, by)

    assert (on_it(room, incident), marks(room)) == ([], [])


def test_an_emoji_waits_for_its_message(room: Room, incident: int):
    ts = f"{room.now.timestamp():.6f}"
    react(room, ts)

    hear(room, user=TOMAS, text="rolled back", ts=ts, event_ts=ts)
    room.desk.serve_each(waiting_messages, tagging.follow_reactions)

    assert on_it(room, incident) == [(1, "action_taken", "rolled back")]
    assert room.ask(reactions.underived, TEAM) == []


def test_an_emoji_on_a_message_that_never_comes_is_not_waited_for_for_ever(room: Room, incident: int):
    react(room, "1700000000.000100")
    waiting = room.ask(reactions.on, TEAM, CHANNEL, "1700000000.000100")

    room.serve(tagging.forget_strays)
    an_hour_before = room.ask(reactions.on, TEAM, CHANNEL, "1700000000.000100")
    room.pass_time(hours=2)
    room.serve(tagging.forget_strays)

    assert (len(waiting), len(an_hour_before)) == (1, 1)
    assert room.ask(reactions.on, TEAM, CHANNEL, "1700000000.000100") == []


def test_emoji_that_wait_for_their_messages_keep_no_others_waiting(room: Room, incident: int):
    for number in range(5):
        emoji_comes(room, f"170000000{number}.000100")
    ts = a_message(room, "rolled back")
    emoji_comes(room, ts)

    assert room.ask(reactions.underived, TEAM, 3) == [(CHANNEL, ts)]


def test_of_a_flood_of_emoji_the_newest_are_served_first(room: Room, incident: int):
    stamps = [a_message(room, f"no {n}", at=room.now + timedelta(seconds=n)) for n in range(5)]
    for ts in stamps:
        emoji_comes(room, ts)

    assert room.ask(reactions.underived, TEAM, 3) == [(CHANNEL, ts) for ts in stamps[2:]]


def test_a_thread_that_is_an_incident_comes_before_its_channel(room: Room, incident: int):
    parent = a_message(room, "search is broken, too")
    thread = an_incident(room, channel=CHANNEL + "X", title="Search")  # pyright: ignore[reportArgumentType]

    def move(db: Any) -> None:
        source = db.scalars(select(Source).where(Source.incident_id == thread)).one()
        source.channel_id, source.thread_ts, source.from_at = CHANNEL, parent, NOVEMBER_18 - timedelta(hours=1)

    room.change(move)
    react(room, parent)

    assert (on_it(room, incident), len(on_it(room, thread))) == ([], 1)


def test_a_deleted_message_leaves_its_event_without_words(room: Room, incident: int):
    ts = a_message(room, "the password is hunter2")
    react(room, ts)

    hear(room, subtype="message_deleted", deleted_ts=ts, event_ts=f"{room.now.timestamp():.6f}")

    assert on_it(room, incident) == [(1, "note", None)]
    assert "hunter2" not in room.serve(tagging.show_timeline, where=HERE, by=MARA, every="all")


def test_an_edit_of_the_message_is_an_edit_of_its_event(room: Room, incident: int):
    ts = a_message(room, "rolled bakc")
    react(room, ts)

    at = f"{room.now.timestamp():.6f}"
    message = {"user": TOMAS, "text": "rolled back", "ts": ts, "edited": {"user": TOMAS, "ts": at}}
    hear(room, subtype="message_changed", message=message, event_ts=at)

    assert on_it(room, incident)[0][2] == "rolled back"


# Words -------------------------------------------------------------------------------------


def test_a_moment_is_added_at_the_latest_past_in_the_speakers_zone_and_echoed(room: Room, incident: int):
    answer = room.serve(tagging.add_event, where=HERE, by=MARA, when=read_when("14:05"), text="rolled back to 41")

    assert times(room, incident)[0] == datetime(2026, 11, 18, 13, 5, tzinfo=UTC)
    assert "Wed 18 Nov 2026, 14:05 CET: action taken, as far as I can tell." in answer
    assert "> rolled back to 41" in answer


def test_numbers_are_given_once(room: Room, incident: int):
    for text in ("one", "two"):
        room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text=text)
    room.serve(tagging.drop_event, where=HERE, by=MARA, number=2)

    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="three")

    assert [number for number, _, _ in on_it(room, incident)] == [1, 3]


def test_corrections_keep_their_history(room: Room, incident: int):
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="rolled back")

    room.serve(tagging.edit_event, where=HERE, by=TOMAS, number=1, text="rolled back to 41")
    room.serve(tagging.sort_event, where=HERE, by=TOMAS, number=1, words="decision")
    room.serve(tagging.retime_event, where=HERE, by=PRIYA, number=1, when=read_when("19:20"))
    room.serve(tagging.mark_outcome, where=HERE, by=JONAS, number=1, outcome=Outcome.helped)

    assert history(room, 1) == [
        ("text", "rolled back", "rolled back to 41", TOMAS),
        ("kind", "action_taken", "decision", TOMAS),
        ("occurred_at", "2026-11-18T14:00:00Z", "2026-11-18T13:50:00Z", PRIYA),
        ("outcome", "unknown", "helped", JONAS),
    ]


def test_the_words_of_a_message_never_go_into_the_history(room: Room, incident: int):
    react(room, a_message(room, "the password is hunter2"))

    room.serve(tagging.edit_event, where=HERE, by=TOMAS, number=1, text="changed the password")

    assert history(room, 1) == [("text", None, "changed the password", TOMAS)]


def test_an_event_is_moved_to_the_time_nearest_to_where_it_stands(room: Room, incident: int):
    react(room, a_message(room, "rolled back", at=NOVEMBER_18 - timedelta(minutes=55)))

    answer = room.serve(tagging.retime_event, where=HERE, by=TOMAS, number=1, when=read_when("12:58"))

    assert "Wed 18 Nov 2026, 12:58 GMT; it was Wed 18 Nov 2026, 13:05 GMT" in answer


def test_an_event_is_not_moved_into_the_future(room: Room, incident: int):
    room.serve(tagging.add_event, where=HERE, by=TOMAS, when=None, text="rolled back")

    with pytest.raises(InTheFuture):
        room.serve(tagging.retime_event, where=HERE, by=TOMAS, number=1, when=read_when("14:30"))


def test_dropping_twice_is_dropping_once(room: Room, incident: int):
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="rolled back")

    answers = [room.serve(tagging.drop_event, where=HERE, by=MARA, number=1) for _ in range(2)]

    assert answers == ["Event 1 is off the timeline. The number 1 is not used again."] * 2
    assert [what for what, *_ in history(room, 1)] == ["dropped"]


def test_a_comment_is_kept_once_with_who_said_it(room: Room, incident: int):
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="rolled back")

    for _ in range(2):
        room.serve(tagging.comment_event, where=HERE, by=TOMAS, number=1, text="two minutes late")

    kept = room.ask(lambda db: [(c.text, c.by) for c in db.scalars(select(EventComment))])
    assert kept == [("two minutes late", TOMAS)]


@pytest.mark.parametrize(
    ("ability", "what", "refusal"),
    [
        (tagging.add_event, {"when": None, "text": " "}, NeedsText),
        (tagging.edit_event, {"number": 7, "text": "x"}, NoSuchEvent),
        (tagging.drop_event, {"number": 7}, NoSuchEvent),
        (tagging.sort_event, {"number": 1, "words": "miracle"}, UnknownKind),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    room: Room, incident: int, ability: Callable[..., Any], what: dict[str, Any], refusal: type[Exception]
):
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="rolled back")

    with pytest.raises(refusal):
        room.serve(ability, where=HERE, by=MARA, **what)


def test_a_private_incident_answers_outsiders_like_a_missing_one(room: Room):
    an_incident(room, private=NOVEMBER_18)

    with pytest.raises(NoIncidentHere):
        room.serve(tagging.show_timeline, where=HERE, by=TOMAS, every="all")


# The form ------------------------------------------------------------------------------------


def tag(room: Room, ts: str, **more: Any) -> str:
    what = {"kind": None, "when": None, "text": None} | more
    return room.serve(tagging.tag_message, where=HERE, by=MARA, channel=CHANNEL, ts=ts, **what)


def test_a_message_is_tagged_with_a_kind_a_time_and_a_wording(room: Room, incident: int):
    ts = a_message(room, "ok going with it", at=NOVEMBER_18 - timedelta(minutes=9))

    tag(room, ts, kind="decision", when=read_when("14:45"), text="We chose to roll back")

    assert on_it(room, incident) == [(1, "decision", "We chose to roll back")]
    assert times(room, incident) == [datetime(2026, 11, 18, 13, 45, tzinfo=UTC)]


def test_what_a_person_put_there_does_not_leave_with_an_emoji(room: Room, incident: int):
    ts = a_message(room, "rolled back")
    tag(room, ts)

    react(room, ts, by=TOMAS)
    unreact(room, ts, by=TOMAS)

    assert len(on_it(room, incident)) == 1


def test_a_message_from_somewhere_else_is_not_tagged(room: Room, incident: int):
    elsewhere = a_message(room, "lunch", channel="C0CANTEEN")

    with pytest.raises(NotKept):
        room.serve(
            tagging.tag_message,
            where=Where(Place(CHANNEL), incident),
            by=MARA,
            channel="C0CANTEEN",
            ts=elsewhere,
            kind=None,
            when=None,
            text=None,
        )


# Looking at it -------------------------------------------------------------------------------


def test_the_timeline_is_listed_in_order_of_time_with_numbers_kinds_and_links(room: Room, incident: int):
    react(room, a_message(room, "p99 is up", at=NOVEMBER_18 - timedelta(minutes=5)))
    room.serve(tagging.add_event, where=HERE, by=MARA, when=read_when("14:20"), text="rolled back <!here>")

    answer = room.serve(tagging.show_timeline, where=HERE, by=MARA, every="short")

    assert answer.index("*2*") < answer.index("*1*")
    assert "action taken · rolled back &lt;!here&gt;" in answer
    assert "<https://sandbox.example.com/archives/C0INC/p1795010100000000|message>" in answer
    assert "*Wed 18 Nov 2026*" in answer


def test_a_long_timeline_shows_what_matters_most_and_folds_the_rest(room: Room, incident: int):
    for minute in range(40):
        at = NOVEMBER_18 - timedelta(minutes=59 - minute)
        text = "decided to roll back" if minute % 4 == 0 else "still looking"
        react(room, a_message(room, text, at=at))

    short = room.answer(tagging.show_timeline, where=HERE, by=MARA, every="short")
    every = room.answer(tagging.show_timeline, where=HERE, by=MARA, every="all")

    assert short
    assert every
    assert str(short.blocks).count("decided to roll back") == 10
    assert "more events" in str(short.blocks)
    assert "of 40 events are folded here" in str(short.blocks)
    assert "*40*" in str(every.blocks)
    assert "folded" not in str(every.blocks)
    assert [message_errors({"text": one.text, "blocks": one.blocks}) for one in (short, every)] == [[], []]


def test_an_empty_timeline_says_how_to_fill_it(room: Room, incident: int):
    assert "Nothing is on the timeline" in room.serve(tagging.show_timeline, where=HERE, by=MARA, every="all")


def test_nothing_is_said_in_the_channel_by_any_of_this(room: Room, incident: int):
    react(room, a_message(room, "rolled back"))
    room.serve(tagging.add_event, where=HERE, by=MARA, when=None, text="rolled back")

    assert [kind for kind, _, _ in marks(room)] == ["mark"]


def test_the_emoji_are_those_of_the_house():
    assert House().emoji == {"pushpin": "guess", "clipboard": "action"}
