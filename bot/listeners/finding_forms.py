"""The forms of findings: to note one, to change it, to merge it with others."""

from collections.abc import Mapping

from bot import noting, revising
from bot.listeners import blocks
from bot.listeners.asked import MOST_OPTIONS, Answers, Asked, Form, Memory, options
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.offering import names_in, with_names
from bot.render import escape, short
from bot.review.findings import FindingKind
from bot.review.follow_up import Category
from bot.review.refusal import NoSuchFinding
from storage import findings, incidents, walk
from storage.models import Finding


def ask_finding(asked: Asked) -> list[Block]:
    kinds = [(kind.value, kind.label.capitalize()) for kind in FindingKind]
    sorts = [(f"{kind} {sort}", f"{kind.label.capitalize()}: {sort}") for kind in FindingKind for sort in kind.sorts]
    return [
        blocks.field("kind", "What it is", blocks.choice(kinds, asked.memory.word)),
        blocks.field("text", "In a sentence", blocks.lines()),
        blocks.optional(blocks.field("sort", "Of which sort", blocks.choice(sorts))),
    ]


def _finding_asked(asked: Asked) -> Finding:
    """The finding a form is about; raises NoSuchFinding."""
    number = asked.memory.number or 0
    found = findings.find(asked.turn.db, asked.memory.incident or 0, number)
    if found is None:
        raise NoSuchFinding(number=number)
    return found


def _ask_change_of_finding(asked: Asked) -> list[Block]:
    found = _finding_asked(asked)
    kind, text, sort = ask_finding(asked)
    sorts = _kept(sort["element"], f"{found.kind} {found.sort}")
    behind = findings.events_behind(asked.turn.db, found.incident_id).get(found.number)
    return [
        kind | {"element": _kept(kind["element"], found.kind)},
        text | {"element": text["element"] | {"initial_value": found.text[: blocks.TEXT_LIMIT]}},
        sort | {"element": sorts},
        *_ask_event_behind(asked, found, behind),
    ]


def _kept(element: Block, value: str) -> Block:
    """A menu with what stands now chosen."""
    chosen = next((entry for entry in element["options"] if entry["value"] == value), None)
    without = {name: of for name, of in element.items() if name != "initial_option"}
    return without | ({"initial_option": chosen} if chosen else {})


def _ask_event_behind(asked: Asked, found: Finding, behind: int | None) -> list[Block]:
    told = walk.events(asked.turn.db, incidents.get(asked.turn.db, found.incident_id))[:MOST_OPTIONS]
    names = names_in(asked.turn, [event.words or "" for event in told])
    options = [
        (str(event.number), f"{event.number} {short(with_names(event.words or '', names), 60)}") for event in told
    ]
    menu = blocks.choice(options, str(behind)) if options else None
    return [blocks.optional(blocks.field("event", "The event it came from", menu))] if menu else []


def _ask_merge(asked: Asked) -> list[Block]:
    found = _finding_asked(asked)
    others = [one for one in findings.of_incident(asked.turn.db, found.incident_id) if one.number != found.number]
    options = [(str(one.number), f"{one.number} {short(one.text, 60)}") for one in others[:MOST_OPTIONS]]
    intro = blocks.said(f"Finding {found.number} stays:\n> {escape(short(found.text, 600))}")
    if not options:
        return [intro, blocks.said("There is no other finding yet.")]
    hint = "Their words stay readable, and what answers them answers this one."
    return [intro, blocks.field("others", "What becomes part of it", blocks.several(options), hint=hint)]


def _ask_learning(_: Asked) -> list[Block]:
    return [
        blocks.field("text", "I learned that …", blocks.lines(), hint="However small. It is kept with your name."),
        blocks.optional(blocks.field("sort", "What it is about", blocks.choice(options(Category)))),
    ]


def finding_deed(answers: Answers, _: Memory) -> Deed:
    kind, sort = FindingKind(answers["kind"]), str(answers.get("sort") or "")
    text = answers.get("text", "")
    if sort.startswith(f"{kind} "):
        text = f"{sort.removeprefix(f'{kind} ')}: {text}"
    return Deed(noting.note_finding, {"kind": kind, "text": text})


def _change_of_finding(answers: Answers, memory: Memory) -> Deed:
    kind, _, sort = str(answers.get("sort") or "").partition(" ")
    what = {"number": memory.number, "kind": answers["kind"], "text": answers.get("text", "")}
    what["sort"] = sort if kind == answers["kind"] else "none"
    return Deed(revising.revise, what | {"event": int(answers["event"]) if answers.get("event") else "none"})


def _merge(answers: Answers, memory: Memory) -> Deed:
    others = [int(number) for number in answers.get("others", ())]
    return Deed(revising.merge, {"number": memory.number, "others": others})


def _learning(answers: Answers, _: Memory) -> Deed:
    sort, text = answers.get("sort"), answers.get("text", "")
    return Deed(noting.note_finding, {"kind": FindingKind.learning, "text": f"{sort}: {text}" if sort else text})


FORMS: Mapping[str, Form] = {
    "finding": Form("Note what we found", "Note", ask_finding, finding_deed, "text"),
    "finding_edit": Form("Change a finding", "Keep", _ask_change_of_finding, _change_of_finding, "text"),
    "finding_merge": Form("Merge findings", "Merge", _ask_merge, _merge, "others"),
    "learning": Form("One thing I learned", "Keep", _ask_learning, _learning, "text"),
}
