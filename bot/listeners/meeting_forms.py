"""The forms of a meeting: where its walk stops, what is noted in it, where it goes."""

import html
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from bot import facilitating, inviting, meeting_apart, noting, sealing, walking
from bot.listeners import blocks
from bot.listeners.asked import MOST_OPTIONS, Answers, Asked, Form, Memory, moment_in
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.listeners.event_forms import event_deed
from bot.listeners.finding_forms import ask_finding, finding_deed
from bot.offering import names_in, with_names
from bot.render import short
from bot.review import stops
from bot.review.incident import UserId
from storage import walk
from storage.incidents import Where


def _ask_stops(asked: Asked) -> list[Block]:
    where = Where(asked.memory.place, asked.memory.incident)
    plan, chosen = walking.plan_for(asked.turn, where=where, by=asked.by)
    zone = ZoneInfo(plan.meeting.zone)
    worth = _worth_a_stop(plan.told, chosen)
    names = names_in(asked.turn, [event.words or "" for event in worth])
    options = [(str(event.number), _as_option(event, zone, names)) for event in worth]
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


def _as_option(event: walk.Told, zone: ZoneInfo, names: Mapping[str, str]) -> str:
    words = with_names(event.words or "its message was deleted", names)
    return short(f"{event.number} · {event.occurred_at.astimezone(zone):%a %H:%M} · {event.kind.label} · {words}", 75)


def _ask_who(asked: Asked) -> list[Block]:
    comes = inviting.who_comes(asked.turn, where=_where(asked), by=asked.by)
    hint = "Up to eight speak more freely, beside who leads. Whoever is new is asked in the meeting's place."
    leaders = blocks.field("leaders", "Leaders who come", blocks.people(comes.leaders), hint=LEADERS_HINT)
    return [
        *([blocks.said(words)] if (words := _spoken_for(comes)) else ()),
        blocks.field("core", "Who comes", blocks.people(comes.core), hint=hint),
        blocks.optional(leaders),
    ]


LEADERS_HINT = "Each gets five private lines on how to take part. They do not count among those who come."


def _spoken_for(comes: inviting.WhoComes) -> str:
    """For whom somebody comes, and for whom nobody does yet."""
    heard = [f"{_as_words(names)}: <@{user}>" for user, names in comes.speaks_for.items()]
    unheard = [f"Nobody comes for {_as_words(side.name)} yet." for side in comes.unheard]
    return "\n".join([*heard, *unheard][:MOST_SIDES])


MOST_SIDES = 12


def _as_words(words: str) -> str:
    """What a person called it, for a text that reads markup."""
    return html.escape(short(words, 80), quote=False)


def _shown_as_coming(asked: Asked) -> str:
    """Whom the form began with: who is asked meanwhile by somebody else is not let off by it."""
    comes = inviting.who_comes(asked.turn, where=_where(asked), by=asked.by)
    return " ".join([*comes.core, *comes.leaders])


def _where(asked: Asked) -> Where:
    return Where(asked.memory.place, asked.memory.incident)


def _ask_note(asked: Asked) -> list[Block]:
    """Everything that can be noted, in one form: nobody has to know the verbs."""
    kinds, *rest = ask_finding(asked)
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


def _ask_park(_: Asked) -> list[Block]:
    return [blocks.field("text", "A thought for later", blocks.lines())]


def _ask_apart(asked: Asked) -> list[Block]:
    teams = meeting_apart.teams(asked.turn, where=_where(asked), by=asked.by)
    if not teams.named:
        return [blocks.said("I know no user group of this workspace yet. I read them every quarter of an hour.")]
    options = [(group, short(name, 75)) for group, name in teams.named[:MOST_OPTIONS]]
    hint = "Before everybody does: 45 minutes, in a thread of its own. Another hour moves a meeting planned already."
    return [
        blocks.field("team", "Which team", blocks.choice(options)),
        blocks.field("when", "When it meets", blocks.a_moment(teams.at), hint=hint),
    ]


def _apart(answers: Answers, _: Memory) -> Deed:
    return Deed(meeting_apart.plan, {"team": answers.get("team") or "", "when": moment_in(answers)})


def _ask_apart_off(asked: Asked) -> list[Block]:
    planned = meeting_apart.planned(asked.turn, where=_where(asked), by=asked.by)
    options = [(str(number), label) for number, label in planned[:MOST_OPTIONS]]
    hint = "Whoever was asked to it reads it once, with the news."
    return [
        blocks.field("number", "Which team", blocks.choice(options, options[0][0])),
        blocks.field("reason", "Why it does not meet by itself", blocks.lines(), hint=hint),
    ]


def _apart_off(answers: Answers, _: Memory) -> Deed:
    number, reason = int(answers.get("number") or 0), answers.get("reason", "")
    return Deed(meeting_apart.call_off, {"number": number, "reason": reason})


def _stops(answers: Answers, _: Memory) -> Deed:
    return Deed(walking.choose_stops, {"numbers": [int(number) for number in answers.get("stops", ())]})


def _who(answers: Answers, memory: Memory) -> Deed:
    """Somebody named in both places comes as everybody else does."""
    core = [UserId(user) for user in answers.get("core", ())]
    leaders = [UserId(user) for user in answers.get("leaders", ()) if user not in core]
    shown = [UserId(user) for user in (memory.word or "").split()]
    return Deed(inviting.change, {"core": core, "leaders": leaders, "shown": shown})


def _note(answers: Answers, memory: Memory) -> Deed:
    match answers.get("kind"):
        case "note":
            return Deed(noting.note, {"text": answers.get("text", "")})
        case "event":
            return event_deed(answers, memory)
        case _:
            return finding_deed(answers, memory)


def _go(answers: Answers, _: Memory) -> Deed:
    return Deed(facilitating.go_to, {"words": answers.get("words", "")})


def _recording(answers: Answers, _: Memory) -> Deed:
    return Deed(noting.set_recording, {"url": answers.get("url", "")})


def _park(answers: Answers, _: Memory) -> Deed:
    return Deed(noting.park, {"text": answers.get("text", "")})


def _ask_surprise(asked: Asked) -> list[Block]:
    sealing.may_answer(asked.turn, where=_where(asked), by=asked.by)
    intro = (
        "What surprised you? Nobody reads your answer before the facilitator, the owner or the lead opens all of them "
        "in the meeting, mixed. It is kept closed, and cannot be changed once you have sent it. You need not answer."
    )
    hint = "Without your name, not even I know whose answer it is."
    names = blocks.choice([("none", "Leave my name out"), ("name", "Put my name to it")], "none")
    return [
        blocks.said(intro),
        blocks.field("text", "In a few sentences", blocks.lines() | {"max_length": sealing.LONGEST}),
        blocks.field("signed", "My name", names, hint=hint),
    ]


def _surprise(answers: Answers, _: Memory) -> Deed:
    return Deed(sealing.answer, {"text": answers.get("text", ""), "signed": answers.get("signed") == "name"})


FORMS: Mapping[str, Form] = {
    "stops": Form("Where the walk stops", "Choose", _ask_stops, _stops, "stops"),
    "who": Form("Who comes", "Keep", _ask_who, _who, "core", _shown_as_coming),
    "apart": Form("A team meets first", "Plan it", _ask_apart, _apart, "when"),
    "apart_off": Form("Call a meeting off", "Call it off", _ask_apart_off, _apart_off, "reason"),
    "note": Form("Note it", "Note", _ask_note, _note, "text"),
    "go": Form("Go to a topic", "Go there", _ask_go, _go, "words"),
    "recording": Form("The recording", "Keep", _ask_recording, _recording, "url"),
    "park": Form("Park a thought", "Park", _ask_park, _park, "text"),
    "surprise": Form("In private", "Seal it", _ask_surprise, _surprise, "text"),
}
