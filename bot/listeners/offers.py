"""The form in which messages worth adding are kept, sorted or left out, and the one that words those kept."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot import offering
from bot.desk import Turn
from bot.listeners import blocks
from bot.listeners.blocks import Block
from bot.offering import CandidateView, Kept, Pick
from bot.render import short
from bot.review.incident import UserId
from bot.review.timeline import Kind
from storage import people
from storage.incidents import Where

LEAVE = "leave"
MARKS = re.compile(r"[*`]")
"""Of bold and code, which a label does not show as such."""
LABEL = 140
"""Characters of a message in the form; Slack's limit of a label is further away."""
Answers = Mapping[str, str]
Key = tuple[str, str]
KEPT_AS = [(LEAVE, "Leave it out"), *((kind.value, f"Keep as {kind.label}") for kind in Kind)]


# Keep, sort, leave out ---------------------------------------------------------------------------


def ask_candidates(turn: Turn, *, where: Where, by: UserId) -> list[Block]:
    """One menu for each message, under the day it was said on; what is suggested is chosen already."""
    found = offering.candidates_for(turn, where=where, by=by)
    if not found:
        return [blocks.said("I found nothing to offer that is not on the timeline already, nor left out.")]
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    intro = "Nobody has to write the timeline from memory: keep what helps to tell what happened, as the kind it was."
    rows = [blocks.said(f"{intro} What you leave out is not offered again. Times are as in {zone.key}.")]
    days = {one.at.astimezone(zone).date() for one in found}
    last = None
    for one in found:
        at = one.at.astimezone(zone)
        if len(days) > 1 and at.date() != last:
            rows.append(blocks.said(f"*{at:%a} {at.day} {at:%b}*"))
        last = at.date()
        rows.append(_menu(one, at))
    return rows


def _menu(one: CandidateView, at: datetime) -> Block:
    chosen = one.kind.value if one.is_sure else LEAVE
    who = f" {one.who}" if one.who else ""
    label = short(f"{at:%H:%M}{who}: {MARKS.sub('', one.words)}", LABEL)
    return blocks.field(
        f"pick {one.channel} {one.ts}",
        label,
        blocks.choice(KEPT_AS, chosen),
        hint=f"{one.why[0].upper()}{one.why[1:]}.",
    )


PICK = re.compile(r"pick (\w+) (\d+\.\d+)")


def picks_of(answers: Answers) -> tuple[list[Pick], list[Key]]:
    """What is to be kept as which kind, and what is left out."""
    chosen = [(found[1], found[2], said) for name, said in answers.items() if (found := PICK.fullmatch(name))]
    picks = [Pick(channel, ts, Kind(said)) for channel, ts, said in chosen if said != LEAVE]
    return picks, [(channel, ts) for channel, ts, said in chosen if said == LEAVE]


# Word them ---------------------------------------------------------------------------------------


def kept_keys(answers: Answers) -> str:
    """The messages to be worded, as the next form remembers them; empty where nothing is kept."""
    return ",".join(f"{pick.channel} {pick.ts}" for pick in picks_of(answers)[0])


def ask_wording(turn: Turn, *, where: Where, by: UserId, keys: str) -> list[Block]:
    """One line for each event just kept, which reads as its message does."""
    wanted = [_key(key) for key in keys.split(",") if key]
    found = offering.kept_for(turn, where=where, by=by, keys=wanted)
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    intro = "They are on the timeline. Word anew what others would not understand; the rest stays as it was said."
    return [blocks.said(intro), *(_line(one, zone) for one in found)]


def _key(words: str) -> Key:
    channel, _, ts = words.partition(" ")
    return channel, ts


def _line(one: Kept, zone: ZoneInfo) -> Block:
    label = f"{one.number} · {one.at.astimezone(zone):%H:%M} · {one.kind.label}"
    return blocks.optional(blocks.field(f"words {one.number}", label, blocks.lines(one.words)))


def words_of(answers: Answers) -> dict[int, str]:
    """What was written for each event, by number."""
    return {int(name.removeprefix("words ")): said for name, said in answers.items() if name.startswith("words ")}


def fields(view: Mapping[str, Sequence[Block]]) -> list[str]:
    """The fields of a form as it stands."""
    return [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
