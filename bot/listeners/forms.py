"""The forms together: the one that words open, how it is built, and what is done when it is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from bot import offering, rewriting
from bot.desk import Turn
from bot.listeners import (
    action_forms,
    blocks,
    event_forms,
    finding_forms,
    hour_forms,
    incident_forms,
    meeting_forms,
    offers,
    report_forms,
    thread_forms,
)
from bot.listeners.asked import Answers, Asked, Form, Memory
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed, do
from bot.listeners.edge import Edge, Gesture, answer_form
from bot.listeners.withholding import with_a_word, withheld_of
from bot.render import Rendered
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from storage import actions
from storage.incidents import Where

ABOUT_AN_EVENT = {"answer", "comment", "edit", "missing"}
"""With the number of an event and no words, these open their form."""
ROLES = {role.value for role in Role}
FINDINGS = {kind.value for kind in FindingKind}
REPORT_PART = re.compile(rf"edit ({'|'.join(rewriting.PARTS)})\b")
UNSAID = {"stops", "event", "action", "impact", "severity", "park", "note", "go", "recording", "surprise"}
"""Verbs that open their form where nothing follows them."""


def wanted(verb: str, rest: str) -> str | None:
    """The form that a verb opens where these words follow it."""
    if verb in READ_APART:
        return READ_APART[verb](rest.lower())
    if verb in {"candidates", "summary", "learning"} and rest.lower() == "form":
        return verb
    if verb in ROLES and rest.lower() == "form":
        return "role"
    if verb in FINDINGS and not rest:
        return "finding"
    if verb in ABOUT_AN_EVENT and re.fullmatch(r"#?\d{1,9}", rest):
        return verb
    return verb if verb in UNSAID and not rest else None


def _wanted_of_action(rest: str) -> str | None:
    step = re.fullmatch(r"#?\d{1,9}\s+(\w+)", rest)
    about = re.fullmatch(r"(for|at)\s+#?\d{1,9}", rest)
    return FORM_OF_STEP.get(step[1]) if step else f"action_{about[1]}" if about else None if rest else "action"


def _wanted_of_report(rest: str) -> str | None:
    part = REPORT_PART.match(rest)
    return f"report_{part[1]}" if part else None


def _wanted_of_finding(rest: str) -> str | None:
    step = re.fullmatch(r"#?\d{1,9}\s+(edit|merge)", rest)
    return f"finding_{step[1]}" if step else None


def _wanted_of_invite(rest: str) -> str | None:
    return "who" if rest in {"", "form"} else None


def _wanted_of_postpone(rest: str) -> str | None:
    """`form 1763722800` opens it with that moment filled in."""
    if re.fullmatch(r"(form( \d{10})?)?", rest):
        return "postpone"
    return {"off": "call_off", "why": "explain"}.get(rest)


def _wanted_of_schedule(rest: str) -> str | None:
    if re.fullmatch(r"apart(?: \S+)? off", rest):
        return "apart_off"
    return {"form": "hour", "apart": "apart"}.get(rest) or thread_forms.wanted(rest)


READ_APART: Mapping[str, Callable[[str], str | None]] = {
    "invite": _wanted_of_invite,
    "action": _wanted_of_action,
    "finding": _wanted_of_finding,
    "report": _wanted_of_report,
    "postpone": _wanted_of_postpone,
    "schedule": _wanted_of_schedule,
}


FORM_OF_STEP = {
    "done": "evidence",
    "edit": "reshape",
    "reshape": "reshape",
    "decline": "decline",
    "block": "block",
    "owner": "owner",
}
"""Steps of an action that need more than a word; what is one's own is at hand everywhere."""
ANYWHERE = {*FORM_OF_STEP.values()}


def is_done(turn: Turn, *, by: UserId, rest: str) -> bool:
    """Whether the action these words name is done already, as far as this person may see."""
    number = re.match(r"#?(\d+)", rest)
    found = actions.by_number(turn.db, turn.team, int(number[1]), by) if number else None
    return found is not None and found[0].state == ActionState.done


def build(turn: Turn, *, gesture: Gesture, memory: Memory) -> Block:
    """The view of a form."""
    form = FORMS[memory.form]
    if form.word:
        memory = replace(memory, word=form.word(Asked(turn, memory, gesture.by)))
    rows = form.ask(Asked(turn, memory, gesture.by))
    return blocks.form(f"review:{memory.form}", form.title, rows, submit=form.submit, memory=memory.to_json())


# What each one asks --------------------------------------------------------------------


def _ask_candidates(asked: Asked) -> list[Block]:
    return offers.ask_candidates(asked.turn, where=Where(asked.memory.place, asked.memory.incident), by=asked.by)


def _ask_wording(asked: Asked) -> list[Block]:
    where = Where(asked.memory.place, asked.memory.incident)
    return offers.ask_wording(asked.turn, where=where, by=asked.by, keys=asked.memory.word or "")


def _sheet(asked: Asked) -> rewriting.Sheet:
    memory = asked.memory
    where, part = Where(memory.place, memory.incident), memory.form.removeprefix("report_")
    return rewriting.sheet(asked.turn, where=where, by=asked.by, part=part, number=memory.number or 1)


def _ask_sheet(asked: Asked) -> list[Block]:
    return report_forms.fields(_sheet(asked))


def _shown(asked: Asked) -> str:
    return report_forms.remembered(_sheet(asked))


# What the answers come to -----------------------------------------------------------------


def _candidates(answers: Answers, _: Memory) -> Deed:
    picks, leave = offers.picks_of(answers)
    return Deed(offering.keep_candidates, {"picks": picks, "leave": leave})


def _to_be_worded(answers: Answers, memory: Memory) -> Memory | None:
    keys = offers.kept_keys(answers)
    return replace(memory, form="wording", word=keys) if keys else None


def _wording(answers: Answers, _: Memory) -> Deed:
    return Deed(offering.word_events, {"words": offers.words_of(answers)})


def _rewritten(answers: Answers, memory: Memory) -> Deed:
    return report_forms.deed(answers, memory.word or "[]")


FORMS: Mapping[str, Form] = {
    **incident_forms.FORMS,
    **event_forms.FORMS,
    **action_forms.FORMS,
    **finding_forms.FORMS,
    **meeting_forms.FORMS,
    **thread_forms.FORMS,
    **hour_forms.FORMS,
    "candidates": Form("Worth keeping", "Keep these", _ask_candidates, _candidates, "", then=_to_be_worded),
    "wording": Form("In other words", "Keep the words", _ask_wording, _wording, ""),
    **{
        f"report_{part}": Form(title, "Keep", _ask_sheet, _rewritten, report_forms.FIRST, _shown)
        for part, title in (
            ("page", "Edit the first page"),
            ("findings", "Edit the findings"),
            ("actions", "Edit the actions"),
            ("timeline", "Edit the timeline"),
        )
    },
}


# Sent ---------------------------------------------------------------------------------------


def register(app: AsyncApp, edge: Edge) -> None:
    @app.view(re.compile("^review:"))
    async def sent(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        memory = Memory.from_json(view["private_metadata"])
        user = UserId(body["user"]["id"])
        gesture = Gesture(user, memory.place, mark=context.get("mark"), incident=memory.incident)
        work = _serve(edge, gesture, memory, blocks.values(view))
        answered = replace(gesture, mark=f"form:{view['id']}:{memory.form}")
        beside = FORMS[memory.form].first or next(iter(offers.fields(view)), "")
        then = partial(_next, edge, gesture, memory, blocks.values(view))
        await answer_form(edge, ack, answered, work, beside=beside, then=then)

    @app.view_closed(re.compile(".*"))
    async def closed(ack: AsyncAck) -> None:
        await ack()


async def _next(edge: Edge, gesture: Gesture, memory: Memory, answers: Answers) -> Block | None:
    """The form that takes the place of the one that was sent, if one follows."""
    form = FORMS[memory.form]
    following = form.then(answers, memory) if form.then else None
    return await edge.look(build, gesture=gesture, memory=following) if following else None


async def _serve(edge: Edge, gesture: Gesture, memory: Memory, answers: Answers) -> Rendered | None:
    await edge.meet(gesture.by, *_named_in(answers))
    words, kinds = withheld_of(answers)
    deed = FORMS[memory.form].deed(words, memory)
    return with_a_word(edge, await do(edge, gesture, replace(deed, touches_agenda=True)), kinds)


def _named_in(answers: Answers) -> list[str]:
    """The people whom somebody named in a form."""
    return [*filter(None, [answers.get("owner")]), *answers.get("core", ()), *answers.get("leaders", ())]
