"""The forms of the incident itself: to open it, what was felt, and its three plain sentences."""

from collections.abc import Mapping

from bot import assessing, costing, opening, tracking
from bot.listeners import blocks
from bot.listeners.asked import Answers, Asked, Form, Memory, options
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed, Needs
from bot.review.assessment import QUESTIONS, Assessment
from bot.review.impact import Impact, read_amount, read_list
from bot.review.incident import Severity, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import Refused
from bot.review.summary import Sentences, sentences_of
from storage import incidents
from storage.models import Incident

ANYBODY = "Anybody who sees the incident; it is said in its channel."


def _ask_impact(asked: Asked) -> list[Block]:
    incident = incidents.get(asked.turn.db, asked.memory.incident or 0)
    known = Impact.from_json(incident.impact)
    fields = (
        ("customers", "Customers affected", known.customers),
        ("regions", "Regions", ", ".join(known.regions)),
        ("services", "Services", ", ".join(known.services)),
        ("teams", "Teams", ", ".join(known.teams)),
        ("functions", "Business functions", ", ".join(known.functions)),
        ("inquiries", "Inquiries received", "" if known.inquiries is None else str(known.inquiries)),
    )
    rows = [blocks.field(name, label, blocks.line(initial)) for name, label, initial in fields]
    rows += [blocks.field("text", "In words", blocks.lines(known.text))]
    rows += [blocks.field("displaced", "Other work it displaced", blocks.line(known.displaced))]
    asks = [blocks.optional(row) for row in (*rows, *_ask_costs(asked, known))]
    return [*_say_hours(asked, incident), *asks]


def _say_hours(asked: Asked, incident: Incident) -> list[Block]:
    """What it took of people so far: the total, and of single people's hours those of whoever looks."""
    took = costing.effort(asked.turn.db, incident, asked.turn.house)
    mine = took.by_person.get(asked.by)
    total = f"Together people worked on it for {took.together.words}." if took.together else ""
    own = f"Your part, which only you are told: {mine.words}." if mine else ""
    return [blocks.said(f"{total} {own}".strip())] if total or own else []


def _ask_costs(asked: Asked, known: Impact) -> list[Block]:
    """What nobody could do without: the money, and only where the policy sets what a minute loses."""
    rates = asked.turn.house.policy.rates
    if rates.revenue_per_minute is None:
        return []
    hint = "Only where somebody counted it. Left empty, it is the minutes of impact times what a minute loses."
    initial = "" if known.lost is None else f"{known.lost:.2f}"
    return [blocks.field("lost", f"Revenue lost, in {rates.currency}", blocks.line(initial), hint=hint)]


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
        displaced=answers.get("displaced", ""),
        lost=_amount(answers.get("lost", "")),
    )
    return Deed(tracking.set_impact, {"impact": impact})


def _amount(words: str) -> float | None:
    amount = read_amount(words)
    if words.strip() and amount is None:
        raise NotAnAmount
    return amount


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

    field = "inquiries"


class NotAnAmount(Refused):
    """An amount of money reads like `90000` or `90000.50`, without a currency. Leave it empty if nobody counted."""

    field = "lost"


FORMS: Mapping[str, Form] = {
    "open": Form("Open an incident", "Open", _ask_open, _open, "title"),
    "impact": Form("What was felt", "Keep", _ask_impact, _impact, "customers"),
    "severity": Form("How grave was it?", "Propose", _ask_severity, _severity, "customers"),
    "role": Form("Who takes it over", "Name", _ask_role, _role, "owner"),
    "summary": Form("Three plain sentences", "Keep", _ask_summary, _summary, "happened"),
}
