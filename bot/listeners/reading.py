"""Reading what follows a verb: words become what its ability is given, or a refusal that says why not."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from bot.listeners.deeds import What
from bot.offering import Pick
from bot.review.findings import FindingKind
from bot.review.follow_up import read_action
from bot.review.incident import ChannelId, MomentName, Place, UserId, split_severity
from bot.review.lifecycle import Role
from bot.review.plain_text import of_markup, of_typed
from bot.review.refusal import (
    NeedsMinutes,
    NeedsNumber,
    NeedsPerson,
    NeedsPlace,
    NeedsReason,
    NeedsTime,
    UnknownChannel,
    UnknownOutcome,
    UnknownStart,
    UnreadableHour,
    UnreadableTime,
)
from bot.review.timeline import Outcome
from bot.review.when import When, read_when, split_when
from bot.wording import Thing
from storage.types import clean

MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
SINCE = re.compile(r"^from:(\S*)\s*")
THREAD_LINK = re.compile(
    r"https?://[^\s/|>]+/archives/([A-Z0-9]+)/p(\d{10})(\d{6})(?:\?(?:[^\s|>]*?&(?:amp;)?)?thread_ts=(\d+\.\d+))?"
)
CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")
GROUP = re.compile(r"<!subteam\^[^>]*>|(?<!\S)@[^\s<>@]+")
"""A user group, as Slack writes it and as people do."""
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MARKS = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""They take no room; some editors put them around what is pasted."""


def as_seen(text: str) -> str:
    """What somebody typed as they see it: without control characters, and without marks around a word."""
    return " ".join(word.strip(MARKS) for word in UNSEEN.sub("", clean(text)).split(" "))


def nothing(_rest: str) -> What:
    """For verbs that say it all."""
    return {}


def as_it_is(name: str) -> Callable[[str], What]:
    """The words, whatever they are; the ability knows what to make of them."""
    return lambda rest: {name: rest}


def reason(verb: str) -> Callable[[str], What]:
    """Refused here as well as by the ability: nobody is asked to confirm what cannot be done."""

    def read(rest: str) -> What:
        if not rest:
            raise NeedsReason(verb=verb)
        return {"reason": rest}

    return read


def timed_text(rest: str) -> What:
    when, text = split_when(rest)
    return {"when": when, "text": text}


def maybe_when(rest: str) -> What:
    return {"when": read_when(rest) if rest else None}


WAYS = {"light", "async"}
"""Of a review that needs no hour: alone, or in threads."""


def hour_or_way(rest: str) -> What:
    """An hour, or another way than a meeting; `light next 3` is what a button of such a review types."""
    way, step, number = [*rest.lower().split(None, 2), "", "", ""][:3]
    if way == "apart":
        return _apart(rest.partition(" ")[2].strip())
    if way not in WAYS:
        return _hour(rest)
    return {"way": way, "step": step, **seen(number)}


PRESSED = re.compile(r"(book|instead)\s+", re.IGNORECASE)
BECAUSE = re.compile(r"\s+(?=because\b)", re.IGNORECASE)
OPENING = re.compile(r"because\b(?!\s+of\b)[\s:,]*", re.IGNORECASE)
"""What opens a reason and is not part of it; `because of the train` is."""


def _hour(rest: str) -> What:
    """`mon 10:00`, `mon 10:00 because REASON`; a button that offers an hour types `book` or `instead` before it."""
    pressed = PRESSED.match(rest)
    words, *because = BECAUSE.split(rest[pressed.end() :] if pressed else rest, maxsplit=1)
    return {
        **({"pressed": pressed[1].lower()} if pressed else {}),
        "when": _read_hour(words) if words or pressed else None,
        **({"reason": _reason(because[0])} if because else {}),
    }


def _reason(words: str) -> str:
    """With or without the `because` that people type before it."""
    words = words.strip()
    opening = OPENING.match(words)
    return words[opening.end() :] if opening else words


def _read_hour(words: str) -> When:
    try:
        return read_when(words)
    except UnreadableTime:
        raise UnreadableHour(words=of_markup(words)) from None


def _apart(rest: str) -> What:
    """`@group thu 10:00`, `@group off REASON`; in the thread of a team `off REASON`, or the `end` of its button."""
    if rest.lower() == "end":
        return {"apart": "end"}
    off = re.fullmatch(r"(?:(\S+)\s+)?off(?:\s+(.*))?", rest, re.IGNORECASE | re.DOTALL)
    if off:
        return {"apart": "off", "team": off[1] or "", "reason": off[2] or ""}
    group, _, words = rest.partition(" ")
    return {"apart": "plan", "team": group, "when": read_when(words) if words.strip() else None}


def moment(name: MomentName) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if rest.lower() == "none":
            return {"name": name}
        return {"name": name, "when": read_when(rest) if rest else None}

    return read


def split_number(verb: str, rest: str) -> tuple[int, str]:
    number, _, more = rest.partition(" ")
    if not number.lstrip("#").isdecimal():
        raise NeedsNumber(verb=verb)
    return int(number.lstrip("#")[:9]), more.strip()


def numbered(verb: str) -> Callable[[str], What]:
    return lambda rest: {"number": split_number(verb, rest)[0]}


def numbered_text(verb: str, name: str = "text") -> Callable[[str], What]:
    def read(rest: str) -> What:
        number, text = split_number(verb, rest)
        return {"number": number, name: text}

    return read


def retime(rest: str) -> What:
    number, words = split_number("retime", rest)
    if not words:
        raise NeedsTime(verb=f"retime {number}")
    return {"number": number, "when": read_when(words)}


def stops(rest: str) -> What:
    """`1 4 7`, `rule`, or nothing at all, which shows them."""
    if not rest:
        return {}
    if rest.lower() == "rule":
        return {"numbers": None}
    if not re.fullmatch(r"#?\d{1,9}(?:[\s,]+#?\d{1,9})*", rest):
        raise NeedsNumber(verb="stops")
    return {"numbers": [int(number) for number in re.findall(r"\d+", rest)]}


def outcome(rest: str) -> What:
    number, words = split_number("outcome", rest)
    word = words.lower().replace(" ", "_")
    if word not in set(Outcome):
        raise UnknownOutcome(words=words, verb=f"outcome {number}")
    return {"number": number, "outcome": Outcome(word)}


def when_reason(rest: str) -> What:
    when, reason = split_when(rest)
    return {"when": when, "reason": _reason(reason)}


def move_or_off(rest: str) -> What:
    """An hour and a reason; `off REASON`, with no other hour; `why REASON`, for the hour it was moved to."""
    step, _, reason = rest.partition(" ")
    return {"step": step.lower(), "reason": _reason(reason)} if step.lower() in {"off", "why"} else when_reason(rest)


def people(verb: str) -> Callable[[str], What]:
    def read(rest: str) -> What:
        users = [UserId(user) for user in MENTION.findall(rest)]
        if not users:
            raise NeedsPerson(verb=verb)
        return {"users": users}

    return read


def people_or_answer(verb: str) -> Callable[[str], What]:
    """People and user groups, or `yes` and `no` of somebody who was asked."""

    def read(rest: str) -> What:
        return {"coming": rest.lower()} if rest.lower() in {"yes", "no"} else people_and_groups(verb)(rest)

    return read


def people_and_groups(verb: str) -> Callable[[str], What]:
    def read(rest: str) -> What:
        named = GROUP.findall(MENTION.sub("", rest))
        if not named:
            return people(verb)(rest)
        return {"users": [UserId(user) for user in MENTION.findall(rest)], "groups_named": named}

    return read


def role(wanted: Role) -> Callable[[str], What]:
    def read(rest: str) -> What:
        found = MENTION.search(rest)
        if rest and not found:
            raise NeedsPerson(verb=wanted.value)
        return {"role": wanted, "user": UserId(found[1]) if found else None}

    return read


def role_or_answer(wanted: Role) -> Callable[[str], What]:
    """A name, nobody's, or what somebody answers who was asked to take it: `take`, `pass`; `sit` beside who leads."""

    def read(rest: str) -> What:
        answer = rest.lower()
        return {"role": wanted, "answer": answer} if answer in ANSWERS[wanted] else role(wanted)(rest)

    return read


ANSWERS: Mapping[Role, Collection[str]] = {
    Role.facilitator: {"take", "pass", "beside", "sit", "leave"},
    Role.scribe: {"take", "pass"},
}


def person_for(wanted: Role) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if not rest:
            raise NeedsPerson(verb=wanted.value)
        return role(wanted)(rest)

    return read


def minutes(rest: str) -> What:
    """`5`, `5 min`; behind it the version of the agenda a button was pressed on."""
    read = re.fullmatch(r"(\d{1,3})(?:\s*(?:m|min|minutes?))?(?:\s+(\d{1,9}))?", rest.lower())
    if read is None:
        raise NeedsMinutes
    return {"minutes": int(read[1]), "seen": int(read[2]) if read[2] else None}


def seen(rest: str) -> What:
    """The version of the agenda a button was pressed on; typed by hand there is none."""
    return {"seen": int(rest) if rest.isdecimal() else None}


FROM_EVENT = re.compile(r"(?:from|at)(?: event)? #?(\d{1,9})[:,]?\s+(?=\S)", re.IGNORECASE)


def finding(kind: FindingKind) -> Callable[[str], What]:
    """`from 4: the disk filled up` names the event it came from."""

    def read(rest: str) -> What:
        named = FROM_EVENT.match(rest)
        if named is None:
            return {"kind": kind, "text": rest}
        return {"kind": kind, "text": rest[named.end() :], "event": int(named[1])}

    return read


def finding_step(rest: str) -> What:
    """`3`, `3 edit text`, `3 merge 5 6`."""
    number, more = split_number("finding", rest)
    step, _, text = more.partition(" ")
    return {"number": number, "step": step.lower(), "text": text.strip()}


def numbers(rest: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,9}", rest)]


def event_or_none(rest: str) -> int | str:
    """`4`, `event 4`, `none`."""
    if rest.lower() == "none":
        return "none"
    found = numbers(rest)
    if not found:
        raise NeedsNumber(verb="finding 3 of")
    return found[0]


def nudges(rest: str) -> What:
    """`on`, `off`, `keep`, `use finding 3`."""
    found = re.fullmatch(r"use (\w+) (\d{1,9})", rest.lower())
    if found and found[1] in set(Thing):
        return {"thing": Thing(found[1]), "number": int(found[2])}
    return {"step": rest.lower()}


def opening(starts: Collection[str]) -> Callable[[str], What]:
    """`from:24h sev2 Checkout is slow`, where these are the words that `from:` takes."""

    def read(rest: str) -> What:
        since = SINCE.match(rest)
        if since and since[1] not in starts:
            raise UnknownStart(words=since[1], starts=tuple(starts))
        severity, title = split_severity(SINCE.sub("", rest))
        return {
            "severity": severity.value if severity else None,
            "title": title or None,
            "since": since[1] if since else None,
        }

    return read


def further(starts: Collection[str]) -> Callable[[str], What]:
    """`#support from:24h`, or the link of a thread."""

    def read(rest: str) -> What:
        since, channel, thread = re.search(r"\bfrom:(\S*)", rest), CHANNEL.search(rest), THREAD_LINK.search(rest)
        if since and since[1] not in starts:
            raise UnknownStart(words=since[1], starts=tuple(starts))
        if thread:
            place = Place(ChannelId(thread[1]), thread[4] or f"{thread[2]}.{thread[3]}")
        elif channel:
            place = Place(ChannelId(channel[1]))
        else:
            raise NeedsPlace
        return {"place": place, "since": since[1] if since else None}

    return read


def confirmed(rest: str) -> What:
    """`yes`, which the button types."""
    return {"confirmed": rest.lower() == "yes"}


def action(rest: str) -> What:
    """`action @owner by DATE quick text`, or `action N step words`."""
    number, _, more = rest.partition(" ")
    if number.lstrip("#").isdecimal():
        step, _, text = more.strip().partition(" ")
        return {"number": int(number.lstrip("#")[:9]), "step": step.lower(), "text": text.strip()}
    words = read_action(rest)
    return {"wording": replace(words, text=of_typed(words.text))}


def which(rest: str) -> What:
    return {"which": rest.lower() or "open"}


def where_to(rest: str) -> What:
    found = CHANNEL.search(rest)
    if rest and not found:
        raise UnknownChannel(words=rest)
    return {"to": found[1] if found else None}


def link(rest: str) -> What:
    """The address of `<https://example.com/r|label>`, as Slack writes a link that somebody typed."""
    return {"url": of_markup(f"<{rest.strip('<>').partition('|')[0]}>") if rest else ""}


def search(rest: str) -> What:
    """`page:2 words`, which the button of the next page types."""
    page = re.match(r"page:([1-9]\d?)\s+", rest)
    return {"words": rest[page.end() :] if page else rest, "page": int(page[1]) if page else 1}


def every(rest: str) -> What:
    """`all`, or `candidates`, which are offered instead of the timeline."""
    word = rest.lower()
    return {"every": word if word in {"all", "candidates"} else "short"}


def form(rest: str) -> What:
    return {"form": rest.lower() or "md"}


def pick(rest: str) -> What:
    """`keep C0INC 1763474400.000100` keeps one, `keep suggested` what is suggested; a button types it."""
    found = re.fullmatch(r"keep (\w+) (\d+\.\d+)", rest)
    if found:
        return {"picks": [Pick(found[1], found[2])]}
    return {"suggested": True} if rest.lower() == "keep suggested" else {}
