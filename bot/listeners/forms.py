"""The forms: what each one asks, and the ability that what was filled in goes to."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from bot import facilitating, following_up, noting, offering, opening, revising, rewriting, tagging, tracking, walking
from bot.desk import Turn
from bot.listeners import blocks, offers, report_forms
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed, Needs, do
from bot.listeners.edge import Edge, Gesture, answer_form
from bot.listeners.withholding import with_a_word, withheld_of
from bot.render import Rendered, escape, short
from bot.review import stops
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState, ActionWords, Category, Horizon, Priority
from bot.review.impact import Impact, read_list
from bot.review.incident import ChannelId, Place, Severity, UserId
from bot.review.refusal import NoSuchAction, NoSuchEvent, NoSuchFinding, Refused
from bot.review.summary import Sentences, sentences_of
from bot.review.timeline import Kind
from bot.review.when import When, read_when
from storage import actions, findings, incidents, messages, walk
from storage.incidents import Where
from storage.models import Action, Finding, Message

Answers = dict[str, Any]
WORDS_KEPT = 2_000
MOST_OPTIONS = 100
"""Slack's limit of one menu."""
EFFECTS = "For better or worse."
NEAR = "Event {} stands at this time."
ABOUT_AN_EVENT = {"answer", "comment", "edit", "missing"}
"""With the number of an event and no words, these open their form."""
FINDINGS = {kind.value for kind in FindingKind}
REPORT_PART = re.compile(rf"edit ({'|'.join(rewriting.PARTS)})\b")
UNSAID = {"stops", "event", "action", "impact", "park", "note", "go", "recording"}
"""Verbs that open their form where nothing follows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a form remembers between being opened and being sent."""

    form: str
    incident: int | None = None
    channel: str = ""
    thread: str = ""
    ts: str | None = None
    number: int | None = None
    word: str | None = None

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @property
    def place(self) -> Place:
        return Place(ChannelId(self.channel), self.thread)

    @classmethod
    def from_json(cls, kept: str) -> "Memory":
        return cls(**json.loads(kept))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, about what, in which turn."""

    turn: Turn
    memory: Memory
    by: UserId

    @property
    def message(self) -> Message | None:
        """The message the form was opened on, where it was kept."""
        memory = self.memory
        return messages.find(self.turn.db, self.turn.team, memory.channel, memory.ts) if memory.ts else None


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its title, the word on its button, what it asks, and what the answers come to."""

    title: str
    submit: str
    ask: Callable[[Asked], list[Block]]
    deed: Callable[[Answers, Memory], Deed]
    first: str
    """The field beside which a refusal is shown."""
    word: Callable[[Asked], str] | None = None
    """What it remembers besides: the question it put, which another press may change meanwhile."""
    then: Callable[[Answers, Memory], Memory | None] | None = None
    """The form that follows, if one does."""


def wanted(verb: str, rest: str) -> str | None:
    """The form that a verb opens where these words follow it."""
    if verb in READ_APART:
        return READ_APART[verb](rest.lower())
    if verb in {"candidates", "summary", "learning"} and rest.lower() == "form":
        return verb
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


READ_APART: Mapping[str, Callable[[str], str | None]] = {
    "action": _wanted_of_action,
    "finding": _wanted_of_finding,
    "report": _wanted_of_report,
}


FORM_OF_STEP = {"done": "evidence", "edit": "reshape", "reshape": "reshape", "decline": "decline", "block": "block"}
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


def _ask_action(asked: Asked) -> list[Block]:
    message = asked.message
    horizons = [(Horizon.quick.value, "Quick fix, within 7 days"), (Horizon.long.value, "Long-term, within 30 days")]
    return [
        blocks.field("text", "What will be done", blocks.lines(short(message.plain, WORDS_KEPT) if message else "")),
        blocks.field(
            "owner", "Who sees to it", blocks.somebody(asked.by), hint="One person, who hears when it is due."
        ),
        blocks.field("horizon", "How far it reaches", blocks.choice(horizons, Horizon.quick.value)),
        blocks.optional(blocks.field("due", "Due day", blocks.a_day(), hint="By how far it reaches, if you leave it.")),
        blocks.optional(blocks.field("category", "What it changes", blocks.choice(_options(Category)))),
        blocks.optional(blocks.field("priority", "Priority", blocks.choice(_options(Priority)))),
        *_ask_what_it_answers(asked),
        blocks.optional(blocks.field("second_order", "What else it could change", blocks.lines(), hint=EFFECTS)),
        blocks.optional(blocks.field("team", "Team", blocks.line())),
    ]


def _ask_what_it_answers(asked: Asked) -> list[Block]:
    """The findings so far; nothing is asked where there are none."""
    found = findings.of_incident(asked.turn.db, asked.memory.incident or 0)[:MOST_OPTIONS]
    options = [(str(finding.number), f"{finding.number} {short(finding.text, 60)}") for finding in found]
    rows = [blocks.field("answers", "What it answers", blocks.several(options))] if options else []
    return [*map(blocks.optional, rows)]


def _options(words: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value.capitalize()) for word in words]


def _ask_action_for(asked: Asked) -> list[Block]:
    """The form of an action, with the finding chosen that it answers."""
    return _chosen(_ask_action(asked), "answers", "initial_options", str(asked.memory.number))


def _chosen(rows: list[Block], name: str, initial: str, value: str) -> list[Block]:
    for row in rows:
        if row.get("block_id") == name:
            known = [option for option in row["element"]["options"] if option["value"] == value]
            row["element"] |= {initial: known} if known else {}
    return rows


def _ask_reshape(asked: Asked) -> list[Block]:
    action = _action_asked(asked)
    horizons = [(Horizon.quick.value, "Quick fix"), (Horizon.long.value, "Long-term")]
    far = "By how far it reaches, if you clear it."
    return [
        blocks.field("text", "What will be done", blocks.lines(action.text)),
        blocks.field("owner", "Who sees to it", blocks.somebody(action.owner)),
        blocks.field("horizon", "How far it reaches", blocks.choice(horizons, action.horizon)),
        blocks.optional(blocks.field("due", "Due day", blocks.a_day(action.due), hint=far)),
        blocks.optional(
            blocks.field(
                "second_order", "What else it could change", blocks.lines(action.second_order or ""), hint=EFFECTS
            )
        ),
        blocks.optional(
            blocks.field("category", "What it changes", blocks.choice(_options(Category), action.category))
        ),
        blocks.optional(blocks.field("priority", "Priority", blocks.choice(_options(Priority), action.priority))),
        blocks.optional(blocks.field("team", "Team", blocks.line(action.team or ""))),
    ]


def _action_asked(asked: Asked) -> Action:
    number = asked.memory.number or 0
    found = actions.by_number(asked.turn.db, asked.turn.team, number, asked.by)
    if found is None:
        raise NoSuchAction(number=number)
    return found[0]


def _ask_reason(asked: Asked) -> list[Block]:
    action = _action_asked(asked)
    return [
        blocks.said(f"Action {action.number}: {escape(short(action.text))}"),
        blocks.field("text", "The reason", blocks.lines(), hint="It is kept with the action, and read in the report."),
    ]


def _ask_evidence(asked: Asked) -> list[Block]:
    action = _action_asked(asked)
    quick = action.horizon == Horizon.quick
    rows = [
        blocks.field("deployed", "Deployed", blocks.line(), hint="A link or a note; or why it does not apply."),
        blocks.field("tested", "Tested", blocks.line()),
        blocks.field("documented", "Documented", blocks.line()),
    ]
    words = "One link or note is enough." if quick else "A link or a note for each; or why it does not apply."
    what = f"Action {asked.memory.number}: {escape(short(action.text))}\n"
    return [blocks.said(f"{what}How do we know that it is done? {words}"), *map(blocks.optional, rows)]


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


def _ask_candidates(asked: Asked) -> list[Block]:
    return offers.ask_candidates(asked.turn, where=Where(asked.memory.place, asked.memory.incident), by=asked.by)


def _ask_wording(asked: Asked) -> list[Block]:
    where = Where(asked.memory.place, asked.memory.incident)
    return offers.ask_wording(asked.turn, where=where, by=asked.by, keys=asked.memory.word or "")


def _ask_open(_: Asked) -> list[Block]:
    return [
        blocks.field("title", "What is happening", blocks.line()),
        blocks.optional(blocks.field("severity", "Severity", blocks.choice(_options(Severity)))),
    ]


def _ask_finding(asked: Asked) -> list[Block]:
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
    kind, text, sort = _ask_finding(asked)
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
    options = [(str(event.number), f"{event.number} {short(event.words, 60)}") for event in told]
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


def _event_asked(asked: Asked) -> walk.Told:
    """The event a form is about, as it is told; raises NoSuchEvent."""
    number = asked.memory.number or 0
    told = walk.events(asked.turn.db, incidents.get(asked.turn.db, asked.memory.incident or 0))
    event = next((event for event in told if event.number == number), None)
    if event is None:
        raise NoSuchEvent(number=number)
    return event


def _as_said(event: walk.Told) -> Block:
    words = short(event.words or "The words of its message were deleted.", 300)
    return blocks.said(f"*Event {event.number}*, {event.kind.label}\n> {escape(words)}")


def _ask_answer(asked: Asked) -> list[Block]:
    event = _event_asked(asked)
    noted = [blocks.said(f"Noted so far:\n> {escape(short(event.answer, 600))}")] if event.answer else []
    label = short(asked.memory.word, 150)
    return [_as_said(event), *noted, blocks.field("text", label, blocks.lines(), hint="It is added to what is noted.")]


def _question(asked: Asked) -> str:
    incident = incidents.get(asked.turn.db, asked.memory.incident or 0)
    return walking.asked_at(asked.turn, incident, _event_asked(asked).number)


def _ask_comment(asked: Asked) -> list[Block]:
    return [_as_said(_event_asked(asked)), blocks.field("text", "What you have to say about it", blocks.lines())]


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


def _ask_stops(asked: Asked) -> list[Block]:
    where = Where(asked.memory.place, asked.memory.incident)
    plan, chosen = walking.plan_for(asked.turn, where=where, by=asked.by)
    zone = ZoneInfo(plan.meeting.zone)
    options = [(str(event.number), _as_option(event, zone)) for event in _worth_a_stop(plan.told, chosen)]
    menu = blocks.several(options, initial=[str(number) for number in chosen], at_most=plan.room)
    intro = (
        f"Ticked is what the walk would stop at now. It has room for {plan.room}; the rest is shown in between. "
        f"Times are those of {plan.meeting.zone}."
    )
    return [blocks.said(intro if options else "The timeline is empty."), *_menu_of_stops(menu)]


def _menu_of_stops(menu: Block) -> list[Block]:
    hint = "Leave out a decision, a hand-over or a failed attempt, and the walk says so."
    return [blocks.field("stops", "Where the walk stops", menu, hint=hint)] if menu["options"] else []


def _worth_a_stop(told: Sequence[walk.Told], chosen: Sequence[int]) -> list[walk.Told]:
    """As many as a menu takes, in order of time: the chosen ones, then by the rule, then the first of the rest."""
    first = [*chosen, *stops.stops(told, MOST_OPTIONS), *(event.number for event in told)]
    offered = set(list(dict.fromkeys(first))[:MOST_OPTIONS])
    return [event for event in told if event.number in offered]


def _as_option(event: walk.Told, zone: ZoneInfo) -> str:
    words = event.words or "its message was deleted"
    return short(f"{event.number} · {event.occurred_at.astimezone(zone):%a %H:%M} · {event.kind.label} · {words}", 75)


def _ask_note(asked: Asked) -> list[Block]:
    """Everything that can be noted, in one form: nobody has to know the verbs."""
    kinds, *rest = _ask_finding(asked)
    others = [("event", "Something that happened"), ("note", "Just a note")]
    options = [*kinds["element"]["options"], *(blocks.option(value, label) for value, label in others)]
    return [kinds | {"element": kinds["element"] | {"options": options}}, *rest]


def _ask_go(asked: Asked) -> list[Block]:
    agenda = facilitating.topics(asked.turn, where=Where(asked.memory.place, asked.memory.incident), by=asked.by)
    options = [(topic.name, f"{topic.label}, {topic.minutes} min") for topic in agenda.topics]
    hint = "The order is a guide. Where you were is kept, and you can go back."
    return [blocks.field("words", "Where to", blocks.choice(options, agenda.topic.name), hint=hint)]


def _ask_recording(_: Asked) -> list[Block]:
    return [blocks.field("url", "Link to the recording", blocks.line(), hint="It stands in the agenda and the report.")]


def _ask_summary(asked: Asked) -> list[Block]:
    known = sentences_of(incidents.get(asked.turn.db, asked.memory.incident or 0).summary)
    return [
        blocks.said("One plain sentence each, for somebody who was not there. They open the report."),
        blocks.field("happened", "What happened", blocks.lines(known.happened)),
        blocks.optional(blocks.field("felt", "What was felt, and by whom", blocks.lines(known.felt))),
        blocks.optional(blocks.field("fixed", "How it was fixed", blocks.lines(known.fixed))),
    ]


def _ask_learning(_: Asked) -> list[Block]:
    return [
        blocks.field("text", "I learned that …", blocks.lines(), hint="However small. It is kept with your name."),
        blocks.optional(blocks.field("sort", "What it is about", blocks.choice(_options(Category)))),
    ]


def _ask_park(_: Asked) -> list[Block]:
    return [blocks.field("text", "A thought for later", blocks.lines())]


def _sheet(asked: Asked) -> rewriting.Sheet:
    memory = asked.memory
    where, part = Where(memory.place, memory.incident), memory.form.removeprefix("report_")
    return rewriting.sheet(asked.turn, where=where, by=asked.by, part=part, number=memory.number or 1)


def _ask_sheet(asked: Asked) -> list[Block]:
    return report_forms.fields(_sheet(asked))


def _shown(asked: Asked) -> str:
    return report_forms.remembered(_sheet(asked))


# What the answers come to -----------------------------------------------------------------


def _when(answers: Answers) -> When | None:
    if not answers.get("when"):
        return None
    return read_when(f"{datetime.fromtimestamp(int(answers['when']), UTC):%Y-%m-%dT%H:%M:%S}Z")


def _event(answers: Answers, _: Memory) -> Deed:
    return Deed(tagging.add_event, {"when": _when(answers), "text": answers.get("text", "")})


def _tag(answers: Answers, memory: Memory) -> Deed:
    what = {"channel": memory.channel, "ts": memory.ts, "kind": answers.get("kind"), "text": answers.get("text")}
    # The form offers the second it was posted; left as it is, the exact moment stays.
    as_posted = int(answers.get("when") or 0) == int(float(memory.ts or 0))
    return Deed(tagging.tag_message, what | {"when": None if as_posted else _when(answers)})


def _action(answers: Answers, memory: Memory) -> Deed:
    source = {"channel": memory.channel, "ts": memory.ts} if memory.ts else {}
    return Deed(following_up.propose, {"wording": _action_words(answers)} | source)


def _action_at(answers: Answers, memory: Memory) -> Deed:
    """An action that came up at an event."""
    return Deed(following_up.propose, {"wording": replace(_action_words(answers), event=memory.number)})


def _reshape(answers: Answers, memory: Memory) -> Deed:
    what = {"number": memory.number, "wording": _action_words(answers)}
    return Deed(following_up.reshape, what, needs=Needs.nothing)


def _step(answers: Answers, memory: Memory) -> Deed:
    """The step of an action whose form has its name."""
    what = {"number": memory.number, "step": memory.form, "text": answers.get("text", "")}
    return Deed(following_up.move, what, needs=Needs.nothing)


def _action_words(answers: Answers) -> ActionWords:
    return ActionWords(
        answers.get("owner"),
        answers.get("due"),
        Horizon(answers["horizon"]) if answers.get("horizon") else None,
        answers.get("text", ""),
        category=answers.get("category"),
        priority=answers.get("priority"),
        team=answers.get("team"),
        second_order=answers.get("second_order", ""),
        answers=tuple(int(number) for number in answers.get("answers", ())),
    )


def _evidence(answers: Answers, memory: Memory) -> Deed:
    return Deed(following_up.finish, {"number": memory.number, "evidence": answers}, needs=Needs.nothing)


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


def _finding(answers: Answers, _: Memory) -> Deed:
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


def _answer(answers: Answers, memory: Memory) -> Deed:
    what = {"number": memory.number, "text": answers.get("text", ""), "question": memory.word}
    return Deed(walking.answer_stop, what)


def _comment(answers: Answers, memory: Memory) -> Deed:
    return Deed(tagging.comment_event, {"number": memory.number, "text": answers.get("text", "")})


def _correction(answers: Answers, memory: Memory) -> Deed:
    words = {name: answers.get(name) or "" for name in ("text", "kind", "answer")}
    at = datetime.fromtimestamp(int(answers["when"]), UTC) if answers.get("when") else None
    return Deed(tagging.correct_event, {"number": memory.number, "when": at} | words)


def _stops(answers: Answers, _: Memory) -> Deed:
    return Deed(walking.choose_stops, {"numbers": [int(number) for number in answers.get("stops", ())]})


def _note(answers: Answers, memory: Memory) -> Deed:
    match answers.get("kind"):
        case "note":
            return Deed(noting.note, {"text": answers.get("text", "")})
        case "event":
            return _event(answers, memory)
        case _:
            return _finding(answers, memory)


def _go(answers: Answers, _: Memory) -> Deed:
    return Deed(facilitating.go_to, {"words": answers.get("words", "")})


def _recording(answers: Answers, _: Memory) -> Deed:
    return Deed(noting.set_recording, {"url": answers.get("url", "")})


def _summary(answers: Answers, _: Memory) -> Deed:
    sentences = Sentences(answers.get("happened", ""), answers.get("felt", ""), answers.get("fixed", ""))
    return Deed(tracking.set_summary, {"text": sentences.as_summary()})


def _learning(answers: Answers, _: Memory) -> Deed:
    sort, text = answers.get("sort"), answers.get("text", "")
    return Deed(noting.note_finding, {"kind": FindingKind.learning, "text": f"{sort}: {text}" if sort else text})


def _park(answers: Answers, _: Memory) -> Deed:
    return Deed(noting.park, {"text": answers.get("text", "")})


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


def _open(answers: Answers, _: Memory) -> Deed:
    what = {"title": answers.get("title"), "severity": answers.get("severity")}
    return Deed(opening.open_incident, what, needs=Needs.channel)


class NotANumber(Refused):
    """Inquiries are counted in whole numbers, such as `120`. Leave it empty if nobody counted."""


FORMS: Mapping[str, Form] = {
    "event": Form("Add to the timeline", "Add", _ask_event, _event, "text"),
    "tag": Form("Add to the timeline", "Add", _ask_tag, _tag, "when"),
    "action": Form("Propose an action", "Propose", _ask_action, _action, "text"),
    "action_for": Form("Propose an action", "Propose", _ask_action_for, _action, "text"),
    "action_at": Form("Propose an action", "Propose", _ask_action, _action_at, "text"),
    "reshape": Form("Reshape the action", "Keep", _ask_reshape, _reshape, "text"),
    "decline": Form("Say no, and why", "Decline", _ask_reason, _step, "text"),
    "block": Form("What is in the way", "Keep", _ask_reason, _step, "text"),
    "evidence": Form("Done, and how we know", "Done", _ask_evidence, _evidence, "deployed"),
    "impact": Form("What was felt", "Keep", _ask_impact, _impact, "customers"),
    "finding": Form("Note what we found", "Note", _ask_finding, _finding, "text"),
    "finding_edit": Form("Change a finding", "Keep", _ask_change_of_finding, _change_of_finding, "text"),
    "finding_merge": Form("Merge findings", "Merge", _ask_merge, _merge, "others"),
    "answer": Form("Keep an answer", "Keep", _ask_answer, _answer, "text", _question),
    "comment": Form("Comment on an event", "Comment", _ask_comment, _comment, "text"),
    "edit": Form("Correct an event", "Correct", _ask_correction, _correction, "text"),
    "missing": Form("Add what is missing", "Add", _ask_missing, _event, "text"),
    "stops": Form("Where the walk stops", "Choose", _ask_stops, _stops, "stops"),
    "note": Form("Note it", "Note", _ask_note, _note, "text"),
    "go": Form("Go to a topic", "Go there", _ask_go, _go, "words"),
    "recording": Form("The recording", "Keep", _ask_recording, _recording, "url"),
    "summary": Form("Three plain sentences", "Keep", _ask_summary, _summary, "happened"),
    "learning": Form("One thing I learned", "Keep", _ask_learning, _learning, "text"),
    "park": Form("Park a thought", "Park", _ask_park, _park, "text"),
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
    "open": Form("Open an incident", "Open", _ask_open, _open, "title"),
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
    await edge.meet(gesture.by, *filter(None, [answers.get("owner")]))
    words, kinds = withheld_of(answers)
    deed = FORMS[memory.form].deed(words, memory)
    return with_a_word(edge, await do(edge, gesture, replace(deed, touches_agenda=True)), kinds)
