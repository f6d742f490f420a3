"""The forms of timeline events: to add one, to correct it, to answer and to comment at it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot import tagging, walking
from bot.listeners import blocks
from bot.listeners.asked import Answers, Asked, Form, Memory, moment_in
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.offering import names_in, with_names
from bot.render import escape, short
from bot.review.refusal import NoSuchEvent
from bot.review.timeline import Kind
from storage import incidents, walk

NEAR = "Event {} stands at this time."


def _ask_event(_: Asked) -> list[Block]:
    return [
        blocks.field("text", "What happened", blocks.lines()),
        blocks.optional(blocks.field("when", "When it happened", blocks.a_moment(), hint="Now, if you leave it.")),
    ]


def _ask_tag(asked: Asked) -> list[Block]:
    message = asked.message
    kinds = [(kind.value, kind.label.capitalize()) for kind in Kind]
    return [
        blocks.optional(
            blocks.field("kind", "What kind of moment it was", blocks.choice(kinds), hint="I guess, if you leave it.")
        ),
        blocks.field("when", "When it happened", blocks.a_moment(message.posted_at if message else asked.turn.now)),
        blocks.optional(blocks.field("text", "In other words", blocks.lines(), hint="Its own words, if you leave it.")),
    ]


def _event_asked(asked: Asked) -> walk.Told:
    """The event a form is about, as it is told; raises NoSuchEvent."""
    number = asked.memory.number or 0
    told = walk.events(asked.turn.db, incidents.get(asked.turn.db, asked.memory.incident or 0))
    event = next((event for event in told if event.number == number), None)
    if event is None:
        raise NoSuchEvent(number=number)
    return event


def _as_said(asked: Asked, event: walk.Told) -> Block:
    words = short(_named(asked, event.words or "The words of its message were deleted."), 300)
    return blocks.said(f"*Event {event.number}*, {event.kind.label}\n> {escape(words)}")


def _named(asked: Asked, text: str) -> str:
    return with_names(text, names_in(asked.turn, [text]))


def _ask_answer(asked: Asked) -> list[Block]:
    event = _event_asked(asked)
    noted = [blocks.said(f"Noted so far:\n> {escape(short(_named(asked, event.answer), 600))}")] if event.answer else []
    label = short(asked.memory.word, 150)
    return [
        _as_said(asked, event),
        *noted,
        blocks.field("text", label, blocks.lines(), hint="It is added to what is noted."),
    ]


def _question(asked: Asked) -> str:
    incident = incidents.get(asked.turn.db, asked.memory.incident or 0)
    return walking.asked_at(asked.turn, incident, _event_asked(asked).number)


def _ask_comment(asked: Asked) -> list[Block]:
    return [_as_said(asked, _event_asked(asked)), blocks.field("text", "What you have to say about it", blocks.lines())]


def _ask_missing(asked: Asked) -> list[Block]:
    event = _event_asked(asked)
    return [
        blocks.field("text", "What happened", blocks.lines()),
        blocks.field("when", "When it happened", blocks.a_moment(event.occurred_at), hint=NEAR.format(event.number)),
    ]


def _ask_correction(asked: Asked) -> list[Block]:
    event = _event_asked(asked)
    kinds = [(kind.value, kind.label.capitalize()) for kind in Kind]
    answer = blocks.field("answer", "What was answered at this stop", blocks.lines(event.answer or ""))
    can_correct = event.answer and len(event.answer) <= blocks.TEXT_LIMIT
    return [
        blocks.field("text", "What happened", blocks.lines(event.words or "")),
        blocks.field("when", "When it happened", blocks.a_moment(event.occurred_at)),
        blocks.field("kind", "What kind of moment it was", blocks.choice(kinds, event.kind.value)),
        *([blocks.optional(answer)] if can_correct else []),
    ]


def event_deed(answers: Answers, _: Memory) -> Deed:
    return Deed(tagging.add_event, {"when": moment_in(answers), "text": answers.get("text", "")})


def _tag(answers: Answers, memory: Memory) -> Deed:
    what = {"channel": memory.channel, "ts": memory.ts, "kind": answers.get("kind"), "text": answers.get("text")}
    # The form offers the second it was posted; left as it is, the exact moment stays.
    as_posted = int(answers.get("when") or 0) == int(float(memory.ts or 0))
    return Deed(tagging.tag_message, what | {"when": None if as_posted else moment_in(answers)})


def _answer(answers: Answers, memory: Memory) -> Deed:
    what = {"number": memory.number, "text": answers.get("text", ""), "question": memory.word}
    return Deed(walking.answer_stop, what)


def _comment(answers: Answers, memory: Memory) -> Deed:
    return Deed(tagging.comment_event, {"number": memory.number, "text": answers.get("text", "")})


def _correction(answers: Answers, memory: Memory) -> Deed:
    words = {name: answers.get(name) or "" for name in ("text", "kind", "answer")}
    at = datetime.fromtimestamp(int(answers["when"]), UTC) if answers.get("when") else None
    return Deed(tagging.correct_event, {"number": memory.number, "when": at} | words)


FORMS: Mapping[str, Form] = {
    "event": Form("Add to the timeline", "Add", _ask_event, event_deed, "text"),
    "tag": Form("Add to the timeline", "Add", _ask_tag, _tag, "when"),
    "answer": Form("Keep an answer", "Keep", _ask_answer, _answer, "text", _question),
    "comment": Form("Comment on an event", "Comment", _ask_comment, _comment, "text"),
    "edit": Form("Correct an event", "Correct", _ask_correction, _correction, "text"),
    "missing": Form("Add what is missing", "Add", _ask_missing, event_deed, "text"),
}
