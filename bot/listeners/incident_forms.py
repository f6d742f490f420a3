"""The forms of the incident itself: to open it, what was felt, and its three plain sentences."""

from collections.abc import Mapping

from bot import assessing, opening, tracking
from bot.listeners import blocks
from bot.listeners.asked import Answers, Asked, Form, Memory, options
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed, Needs
from bot.review.assessment import QUESTIONS, Assessment
from bot.review.impact import Impact, read_list
from bot.review.incident import Severity, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import Refused
from bot.review.summary import Sentences, sentences_of
from storage import incidents

ANYBODY = "Anybody who sees the incident; it is said in its channel."


def _ask_impact(asked: Asked) -> list[Block]:
    known = Impact.from_json(incidents.get(asked.turn.db, asked.memory.incident or 0).impact)
    fields = (
        ("customers", "Customers affected", known.customers),
        ("regions", "Regions", ", ".join(known.regions)),
        ("services", "Services", ", ".join(known.services)),
        ("teams", "Teams", ", ".join(known.teams)),
        ("functions", "Business functions", ", ".join(known.functions)),
        ("inquiries", "Inquiries received", "" if known.inquiries is None else str(known.inquiries)),
    )
    rows = [blocks.field(name, label, blocks.line(initial)) for name, label, initial in fields]
    return [*map(blocks.optional, rows), blocks.optional(blocks.field("text", "In words", blocks.lines(known.text)))]


def _ask_severity(asked: Asked) -> list[Block]:
    known = incidents.get(asked.turn.db, asked.memory.incident or 0).assessed or {}
    fields = [
        blocks.optional(blocks.field(name, question.words, blocks.choice(question.answers.items(), known.get(name))))
        for name, question in QUESTIONS.items()
    ]
    return [
        blocks.said("I propose a severity from your answers, and you decide. Leave out what nobody knows."),
        *fields,
    ]


def _ask_open(_: Asked) -> list[Block]:
    return [
        blocks.field("title", "What is happening", blocks.line()),
        blocks.optional(blocks.field("severity", "Severity", blocks.choice(options(Severity)))),
    ]


def _ask_summary(asked: Asked) -> list[Block]:
    known = sentences_of(incidents.get(asked.turn.db, asked.memory.incident or 0).summary)
    return [
        blocks.said("One plain sentence each, for somebody who was not there. They open the report."),
        blocks.field("happened", "What happened", blocks.lines(known.happened)),
        blocks.optional(blocks.field("felt", "What was felt, and by whom", blocks.lines(known.felt))),
        blocks.optional(blocks.field("fixed", "How it was fixed", blocks.lines(known.fixed))),
    ]


def _ask_role(asked: Asked) -> list[Block]:
    role = Role(asked.memory.word or "")
    return [blocks.field("owner", f"The {role} from now on", blocks.somebody(asked.by), hint=ANYBODY)]


def _role(answers: Answers, memory: Memory) -> Deed:
    return Deed(tracking.take_role, {"role": Role(memory.word or ""), "user": UserId(answers.get("owner", ""))})


def _impact(answers: Answers, _: Memory) -> Deed:
    count = str(answers.get("inquiries", "")).strip()
    if count and not count.isdecimal():
        raise NotANumber
    impact = Impact(
        customers=answers.get("customers", ""),
        regions=read_list(answers.get("regions", "")),
        services=read_list(answers.get("services", "")),
        teams=read_list(answers.get("teams", "")),
        functions=read_list(answers.get("functions", "")),
        inquiries=int(count[:9]) if count else None,
        text=answers.get("text", ""),
    )
    return Deed(tracking.set_impact, {"impact": impact})


def _severity(answers: Answers, _: Memory) -> Deed:
    return Deed(assessing.assess, {"assessment": Assessment.from_json(answers)})


def _summary(answers: Answers, _: Memory) -> Deed:
    sentences = Sentences(answers.get("happened", ""), answers.get("felt", ""), answers.get("fixed", ""))
    return Deed(tracking.set_summary, {"text": sentences.as_summary()})


def _open(answers: Answers, _: Memory) -> Deed:
    what = {"title": answers.get("title"), "severity": answers.get("severity")}
    return Deed(opening.open_incident, what, needs=Needs.channel)


class NotANumber(Refused):
    """Inquiries are counted in whole numbers, such as `120`. Leave it empty if nobody counted."""


FORMS: Mapping[str, Form] = {
    "open": Form("Open an incident", "Open", _ask_open, _open, "title"),
    "impact": Form("What was felt", "Keep", _ask_impact, _impact, "customers"),
    "severity": Form("How grave was it?", "Propose", _ask_severity, _severity, "customers"),
    "role": Form("Who takes it over", "Name", _ask_role, _role, "owner"),
    "summary": Form("Three plain sentences", "Keep", _ask_summary, _summary, "happened"),
}
