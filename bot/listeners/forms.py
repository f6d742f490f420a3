"""The forms: what each one asks, and the ability that what was filled in goes to."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext

from bot import facilitating, following_up, opening, tagging, tracking
from bot.desk import Notes, Replayed, Turn
from bot.listeners import blocks
from bot.listeners.blocks import Block
from bot.listeners.edge import Edge, Gesture
from bot.listeners.opening import open_here, refresh_agenda
from bot.render import Rendered, escape, short
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState, Category, Horizon, Priority
from bot.review.impact import Impact, read_list
from bot.review.incident import ChannelId, Place, Severity, UserId
from bot.review.refusal import NoSuchAction, Refused
from bot.review.timeline import Kind
from bot.review.when import When, read_when
from storage import actions, incidents, messages

Call = tuple[Callable[..., Notes], dict[str, Any]]
WORDS_KEPT = 2_000
FINDINGS = {kind.value for kind in FindingKind}


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

    @classmethod
    def from_json(cls, kept: str) -> "Memory":
        return cls(**json.loads(kept))


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its title, the word on its button, what it asks, and whom the answers go to."""

    title: str
    submit: str
    ask: Callable[[Turn, Memory, UserId], list[Block]]
    call: Callable[[dict[str, Any], Memory], Call]
    first: str
    """The field beside which a refusal is shown."""


def wanted(verb: str, rest: str) -> str | None:
    """The form that a verb opens where these words follow it."""
    if verb == "action" and re.fullmatch(r"#?\d{1,9}\s+done", rest.lower()):
        return "evidence"
    if verb == "candidates" and rest.lower() == "form":
        return "candidates"
    if verb in FINDINGS and not rest:
        return "finding"
    return verb if verb in {"event", "action", "impact", "park"} and not rest else None


def is_done(turn: Turn, *, by: UserId, rest: str) -> bool:
    """Whether the action these words name is done already, as far as this person may see."""
    number = re.match(r"#?(\d+)", rest)
    found = actions.by_number(turn.db, turn.team, int(number[1]), by) if number else None
    return found is not None and found[0].state == ActionState.done


def build(turn: Turn, *, gesture: Gesture, memory: Memory) -> Block:
    """The view of a form."""
    form = FORMS[memory.form]
    asked = form.ask(turn, memory, gesture.by)
    return blocks.form(f"review:{memory.form}", form.title, asked, submit=form.submit, memory=memory.to_json())


# What each one asks --------------------------------------------------------------------


def _ask_event(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del turn, memory, by
    return [
        blocks.field("text", "What happened", blocks.lines()),
        blocks.optional(blocks.field("when", "When it happened", blocks.a_moment(), hint="Now, if you leave it.")),
    ]


def _ask_tag(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del by
    message = messages.find(turn.db, turn.team, memory.channel, memory.ts or "")
    kinds = [(kind.value, kind.label.capitalize()) for kind in Kind]
    return [
        blocks.optional(
            blocks.field("kind", "What kind of moment it was", blocks.choice(kinds), hint="I guess, if you leave it.")
        ),
        blocks.field("when", "When it happened", blocks.a_moment(message.posted_at if message else turn.now)),
        blocks.optional(blocks.field("text", "In other words", blocks.lines(), hint="Its own words, if you leave it.")),
    ]


def _ask_action(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    message = messages.find(turn.db, turn.team, memory.channel, memory.ts) if memory.ts else None
    horizons = [(Horizon.quick.value, "Quick fix, within 7 days"), (Horizon.long.value, "Long-term, within 30 days")]
    return [
        blocks.field("text", "What will be done", blocks.lines(short(message.plain, WORDS_KEPT) if message else "")),
        blocks.field("owner", "Who sees to it", blocks.somebody(by), hint="One person, who hears when it is due."),
        blocks.field("horizon", "How far it reaches", blocks.choice(horizons, Horizon.quick.value)),
        blocks.optional(blocks.field("due", "Due day", blocks.a_day(), hint="By how far it reaches, if you leave it.")),
        blocks.optional(blocks.field("category", "What it changes", blocks.choice(_options(Category)))),
        blocks.optional(blocks.field("priority", "Priority", blocks.choice(_options(Priority)))),
    ]


def _options(words: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value.capitalize()) for word in words]


def _ask_evidence(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    found = actions.by_number(turn.db, turn.team, memory.number or 0, by)
    if found is None:
        raise NoSuchAction(number=memory.number or 0)
    quick = found[0].horizon == Horizon.quick
    asked = [
        blocks.field("deployed", "Deployed", blocks.line(), hint="A link or a note; or why it does not apply."),
        blocks.field("tested", "Tested", blocks.line()),
        blocks.field("documented", "Documented", blocks.line()),
    ]
    words = "One link or note is enough." if quick else "A link or a note for each; or why it does not apply."
    what = f"Action {memory.number}: {escape(short(found[0].text))}\n"
    return [blocks.said(f"{what}How do we know that it is done? {words}"), *map(blocks.optional, asked)]


def _ask_impact(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del by
    known = Impact.from_json(incidents.get(turn.db, memory.incident or 0).impact)
    asked = (
        ("customers", "Customers touched", known.customers),
        ("regions", "Regions", ", ".join(known.regions)),
        ("services", "Services", ", ".join(known.services)),
        ("teams", "Teams", ", ".join(known.teams)),
        ("functions", "Business functions", ", ".join(known.functions)),
        ("inquiries", "Inquiries received", "" if known.inquiries is None else str(known.inquiries)),
    )
    rows = [blocks.field(name, label, blocks.line(initial)) for name, label, initial in asked]
    return [*map(blocks.optional, rows), blocks.optional(blocks.field("text", "In words", blocks.lines(known.text)))]


def _ask_candidates(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    found = tagging.candidates_for(turn, where=_where(memory), by=by)
    options = [
        blocks.option(f"{c.channel} {c.ts}", short(f"{c.at:%H:%M} {c.words}", 75), short(c.why, 75)) for c in found
    ]
    groups = [options[i : i + 10] for i in range(0, len(options), 10)]
    intro = "Tick what belongs on the timeline. Times are in UTC here." if options else "I found nothing to offer."
    rows = [blocks.field(f"keep_{n}", "Messages", blocks.ticks(group)) for n, group in enumerate(groups)]
    return [blocks.said(intro), *map(blocks.optional, rows)]


def _ask_open(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del turn, memory, by
    return [
        blocks.field("title", "What is happening", blocks.line()),
        blocks.optional(blocks.field("severity", "Severity", blocks.choice(_options(Severity)))),
    ]


def _ask_finding(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del turn, by
    kinds = [(kind.value, kind.label.capitalize()) for kind in FindingKind]
    sorts = [(f"{kind} {sort}", f"{kind.label.capitalize()}: {sort}") for kind in FindingKind for sort in kind.sorts]
    return [
        blocks.field("kind", "What it is", blocks.choice(kinds, memory.word)),
        blocks.field("text", "In a sentence", blocks.lines()),
        blocks.optional(blocks.field("sort", "Of which sort", blocks.choice(sorts))),
    ]


def _ask_park(turn: Turn, memory: Memory, by: UserId) -> list[Block]:
    del turn, memory, by
    return [blocks.field("text", "A thought for later", blocks.lines())]


# Whom the answers go to -----------------------------------------------------------------


def _where(memory: Memory) -> incidents.Where:
    return incidents.Where(Place(ChannelId(memory.channel), memory.thread), memory.incident)


def _when(answers: Mapping[str, Any]) -> When | None:
    if not answers.get("when"):
        return None
    return read_when(f"{datetime.fromtimestamp(int(answers['when']), UTC):%Y-%m-%dT%H:%M:%S}Z")


def _event(answers: dict[str, Any], memory: Memory) -> Call:
    return tagging.add_event, {"where": _where(memory), "when": _when(answers), "text": answers.get("text", "")}


def _tag(answers: dict[str, Any], memory: Memory) -> Call:
    what = {"channel": memory.channel, "ts": memory.ts, "kind": answers.get("kind"), "text": answers.get("text")}
    # The form offers the second it was posted; left as it is, the exact moment stays.
    as_posted = int(answers.get("when") or 0) == int(float(memory.ts or 0))
    return tagging.tag_message, what | {"where": _where(memory), "when": None if as_posted else _when(answers)}


def _action(answers: dict[str, Any], memory: Memory) -> Call:
    source = {"channel": memory.channel, "ts": memory.ts} if memory.ts else {}
    what = {name: answers.get(name) for name in ("owner", "horizon", "category", "priority")}
    what |= {"text": answers.get("text", ""), "due_words": answers.get("due")}
    return following_up.propose, what | source | {"where": _where(memory)}


def _evidence(answers: dict[str, Any], memory: Memory) -> Call:
    return following_up.finish, {"number": memory.number, "evidence": answers}


def _impact(answers: dict[str, Any], memory: Memory) -> Call:
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
    return tracking.set_impact, {"where": _where(memory), "impact": impact}


def _finding(answers: dict[str, Any], memory: Memory) -> Call:
    kind, sort = FindingKind(answers["kind"]), str(answers.get("sort") or "")
    text = answers.get("text", "")
    if sort.startswith(f"{kind} "):
        text = f"{sort.removeprefix(f'{kind} ')}: {text}"
    return facilitating.note_finding, {"where": _where(memory), "kind": kind, "text": text}


def _park(answers: dict[str, Any], memory: Memory) -> Call:
    return facilitating.park, {"where": _where(memory), "text": answers.get("text", "")}


def _candidates(answers: dict[str, Any], memory: Memory) -> Call:
    picked = [pick for name, picks in answers.items() if name.startswith("keep_") for pick in picks]
    picks = [tuple(pick.split(" ", 1)) for pick in picked]
    return tagging.keep_candidates, {"where": _where(memory), "picks": picks}


def _open(answers: dict[str, Any], memory: Memory) -> Call:
    del memory
    return opening.open_incident, {"title": answers.get("title"), "severity": answers.get("severity")}


class NotANumber(Refused):
    """Inquiries are counted in whole numbers, such as `120`. Leave it empty if nobody counted."""


FORMS: Mapping[str, Form] = {
    "event": Form("Add to the timeline", "Add", _ask_event, _event, "text"),
    "tag": Form("Add to the timeline", "Add", _ask_tag, _tag, "when"),
    "action": Form("Propose an action", "Propose", _ask_action, _action, "text"),
    "evidence": Form("Done, and how we know", "Done", _ask_evidence, _evidence, "deployed"),
    "impact": Form("What was felt", "Keep", _ask_impact, _impact, "customers"),
    "finding": Form("Note what we found", "Note", _ask_finding, _finding, "text"),
    "park": Form("Park a thought", "Park", _ask_park, _park, "text"),
    "candidates": Form("Worth adding", "Add these", _ask_candidates, _candidates, "keep_0"),
    "open": Form("Open an incident", "Open", _ask_open, _open, "title"),
}


# Sent ---------------------------------------------------------------------------------------


def register(app: AsyncApp, edge: Edge) -> None:
    @app.view(re.compile("^review:"))
    async def sent(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
        memory = Memory.from_json(view["private_metadata"])
        place = Place(ChannelId(memory.channel), memory.thread)
        gesture = Gesture(UserId(body["user"]["id"]), place, mark=context.get("mark"), incident=memory.incident)
        form = FORMS[memory.form]
        try:
            said = await _serve(edge, gesture, form, blocks.values(view), memory)
        except Refused as refused:
            await ack(response_action="errors", errors={form.first: edge.refused(refused).text})
            return
        except Replayed:
            said = None
        except Exception as error:  # noqa: BLE001 - unanswered, Slack would only say that it had trouble connecting
            await ack(response_action="errors", errors={form.first: edge.sorry(error).text})
            return
        await ack()
        if said:
            await edge.whisper(said, replace(gesture, mark=f"form:{view['id']}"))

    @app.view_closed(re.compile(".*"))
    async def closed(ack: AsyncAck) -> None:
        await ack()


async def _serve(edge: Edge, gesture: Gesture, form: Form, answers: dict[str, Any], memory: Memory) -> Rendered | None:
    await edge.meet(gesture.by, *filter(None, [answers.get("owner")]))
    ability, what = form.call(answers, memory)
    if ability is opening.open_incident:
        return await open_here(edge, gesture, **what)
    said = await edge.serve(ability, by=gesture.by, mark=gesture.mark, **what)
    await refresh_agenda(edge, gesture)
    return said
