"""The forms of actions: to propose one, and the steps that need more than a word."""

from collections.abc import Mapping
from dataclasses import replace

from bot import following_up
from bot.listeners import blocks
from bot.listeners.asked import MOST_OPTIONS, Answers, Asked, Form, Memory, options
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed, Needs
from bot.render import day, escape, short
from bot.review.follow_up import ActionWords, Category, Horizon, Priority
from bot.review.refusal import NoSuchAction
from storage import actions, findings
from storage.models import Action

WORDS_KEPT = 2_000
EFFECTS = "For better or worse."


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
        blocks.optional(blocks.field("category", "What it changes", blocks.choice(options(Category)))),
        blocks.optional(blocks.field("priority", "Priority", blocks.choice(options(Priority)))),
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
        blocks.optional(blocks.field("category", "What it changes", blocks.choice(options(Category), action.category))),
        blocks.optional(blocks.field("priority", "Priority", blocks.choice(options(Priority), action.priority))),
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


def _ask_owner(asked: Asked) -> list[Block]:
    action = _action_asked(asked)
    due = f" It is due {day(action.due)}." if action.due else ""
    return [
        blocks.said(f"Action {action.number}: {escape(short(action.text))}{due}"),
        blocks.field("owner", "Who sees to it now", blocks.somebody(), hint="They hear of it on a working morning."),
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


def _handed_over(answers: Answers, memory: Memory) -> Deed:
    what = {"number": memory.number, "step": memory.form, "text": answers.get("owner", "")}
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


FORMS: Mapping[str, Form] = {
    "action": Form("Propose an action", "Propose", _ask_action, _action, "text"),
    "action_for": Form("Propose an action", "Propose", _ask_action_for, _action, "text"),
    "action_at": Form("Propose an action", "Propose", _ask_action, _action_at, "text"),
    "reshape": Form("Reshape the action", "Keep", _ask_reshape, _reshape, "text"),
    "decline": Form("Say no, and why", "Decline", _ask_reason, _step, "text"),
    "block": Form("What is in the way", "Keep", _ask_reason, _step, "text"),
    "owner": Form("Hand over an action", "Hand over", _ask_owner, _handed_over, "owner"),
    "evidence": Form("Done, and how we know", "Done", _ask_evidence, _evidence, "deployed"),
}
