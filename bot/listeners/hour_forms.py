"""The forms of the meeting's hour: another one to choose, one to move to, and why it does not take place."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot import scheduling
from bot.agreeing import Offer
from bot.listeners import blocks
from bot.listeners.asked import Answers, Asked, Form, Memory, moment_in
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.render import local, short
from bot.review.refusal import Refused
from bot.review.when import read_when
from storage.incidents import Where

TOLD_ONCE = "Everybody who was asked to come reads it once, with the news."


class NeedsAnHour(Refused):
    """Choose one of these hours, or name another one here."""


def _ask_hour(asked: Asked) -> list[Block]:
    found = scheduling.further(asked.turn, where=_where(asked), by=asked.by)
    menu = blocks.field(
        "offer", "One of these", blocks.choice((offer.typed, _as_option(offer)) for offer in found.offers)
    )
    named = blocks.field("when", "Or any other hour", blocks.a_moment(), hint="In your own time zone.")
    told = f"What else I would suggest, in the time of {found.zone}."
    asks = [*([blocks.said(told), blocks.optional(menu)] if found.offers else []), blocks.optional(named)]
    return [_stands(found.stands, found.zone), *asks, _why_it_moves()] if found.stands else asks


def _stands(at: datetime, zone: str) -> Block:
    return blocks.said(f"The meeting is booked for {local(at, zone)}. Another hour moves it.")


def _why_it_moves() -> Block:
    return blocks.field("reason", "Why it moves", blocks.lines(), hint=TOLD_ONCE)


def _as_option(offer: Offer) -> str:
    parts = dict.fromkeys(part for _, _, part in offer.outside)
    outside = f"{' and '.join(parts)} for {len(offer.outside)}" if parts else ""
    busy = f"{len(offer.busy)} busy" if offer.busy else ""
    suits = f"suits {offer.everybody}" if offer.suits and offer.everybody else ""
    return short(" · ".join(filter(None, (offer.label, f"{offer.after} later", suits, outside, busy))), 75)


def _ask_postpone(asked: Asked) -> list[Block]:
    planned = scheduling.planned_for(asked.turn, where=_where(asked), by=asked.by)
    chosen = datetime.fromtimestamp(asked.memory.number, UTC) if asked.memory.number else planned.meets_at
    return [
        blocks.field("when", "To which hour", blocks.a_moment(chosen), hint="In your own time zone."),
        _why_it_moves(),
    ]


def _ask_call_off(asked: Asked) -> list[Block]:
    scheduling.planned_for(asked.turn, where=_where(asked), by=asked.by)
    return [blocks.field("reason", "Why it does not take place", blocks.lines(), hint=TOLD_ONCE)]


def _ask_explain(asked: Asked) -> list[Block]:
    scheduling.planned_for(asked.turn, where=_where(asked), by=asked.by)
    hint = "It stands where the new hour was told, in the pre-read and in the report; nobody is told again."
    return [blocks.field("reason", "Why it was moved", blocks.lines(), hint=hint)]


def _where(asked: Asked) -> Where:
    return Where(asked.memory.place, asked.memory.incident)


def _hour(answers: Answers, _: Memory) -> Deed:
    when = moment_in(answers) or (read_when(answers["offer"]) if "offer" in answers else None)
    if when is None:
        raise NeedsAnHour
    return Deed(scheduling.choose, {"when": when, "reason": answers.get("reason", "")})


def _postpone(answers: Answers, _: Memory) -> Deed:
    return Deed(scheduling.postpone, {"when": moment_in(answers), "reason": answers.get("reason", "")})


def _call_off(answers: Answers, _: Memory) -> Deed:
    return Deed(scheduling.call_off, {"reason": answers.get("reason", "")})


def _explain(answers: Answers, _: Memory) -> Deed:
    return Deed(scheduling.explain, {"reason": answers.get("reason", "")})


FORMS: Mapping[str, Form] = {
    "hour": Form("Another hour", "Book", _ask_hour, _hour, "when"),
    "postpone": Form("Move the meeting", "Move it", _ask_postpone, _postpone, "when"),
    "call_off": Form("Call the meeting off", "Call it off", _ask_call_off, _call_off, "reason"),
    "explain": Form("Why it was moved", "Keep", _ask_explain, _explain, "reason"),
}
