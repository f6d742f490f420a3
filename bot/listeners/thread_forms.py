"""The form in which replies in a thread of a review are kept as findings."""

import re
from collections.abc import Mapping, Sequence

from bot import discussing
from bot.discussing import Pick, Reply
from bot.listeners import blocks
from bot.listeners.asked import Answers, Asked, Form, Memory
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.offering import names_in, with_names
from bot.render import short
from bot.review.findings import FindingKind
from bot.review.threads import Thread
from storage.incidents import Where

MOST = 40
"""Replies of one form, the newest: nobody reads more of them in one go."""
LABEL = 140
LEAVE = "leave"
REPLY = re.compile(r"reply (\w+) (\d+\.\d+)")


def wanted(rest: str) -> str | None:
    """`async keep 3` opens the form of the third thread."""
    return "replies" if re.fullmatch(r"async keep \d", rest) else None


def _ask(asked: Asked) -> list[Block]:
    memory = asked.memory
    where = Where(memory.place, memory.incident)
    thread, said = discussing.replies_in(asked.turn, where=where, by=asked.by, number=memory.number or 1)
    if not said:
        return [blocks.said("Nobody has said anything there that is not noted already.")]
    intro = "What you keep becomes a finding, in the words and under the name of whoever said it."
    return [blocks.said(intro), *_rows(asked, thread, said[-MOST:])]


def _rows(asked: Asked, thread: Thread, said: Sequence[Reply]) -> list[Block]:
    names = names_in(asked.turn, [one.words for one in said], {one.user for one in said})
    options = [(LEAVE, "Leave it"), *((kind.value, f"Keep as {kind.label}") for kind in thread.finds)]
    return [_row(one, names, blocks.choice(options, LEAVE)) for one in said]


def _row(one: Reply, names: Mapping[str, str], menu: Block) -> Block:
    label = short(f"{names.get(one.user, 'Somebody')}: {with_names(one.words, names)}", LABEL)
    return blocks.field(f"reply {one.channel} {one.ts}", label, menu)


def _deed(answers: Answers, _: Memory) -> Deed:
    chosen = [(found[1], found[2], kind) for name, kind in answers.items() if (found := REPLY.fullmatch(name))]
    picks = [Pick(channel, ts, FindingKind(kind)) for channel, ts, kind in chosen if kind != LEAVE]
    return Deed(discussing.keep_replies, {"picks": picks})


FORMS: Mapping[str, Form] = {"replies": Form("Keep what was said", "Keep", _ask, _deed, "")}
