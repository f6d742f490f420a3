"""How a report calls people: by their names, or by what they did (`lead`, `responder 2`), in every text of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.review.lifecycle import Role
from bot.review.pseudonym import is_pseudonym, name_of
from bot.review.report import EventFacts, Facts


class Naming(StrEnum):
    """What people are called in reports."""

    names = "names"
    roles = "roles"


USER = re.compile(r"[UW][A-Z0-9]{2,}")
MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>|(?<![<\w])@([UW][A-Z0-9]{4,})\b")
"""As somebody typed it, or as it stands in the words of a message, `@U0MARA`."""
LINK = re.compile(r"<(https?://[^|<>\s]+)(?:\|[^<>]*)?>")
SKIN_TONE = re.compile(r"(?<=:):skin-tone-[2-6]:")
SHORTEST_NAME = 3
"""Characters of a name that is looked for in texts."""
ALSO_WORDS = frozenset(
    (
        "art",
        "bill",
        "chase",
        "dawn",
        "dean",
        "drew",
        "frank",
        "grace",
        "grant",
        "guy",
        "hope",
        "jack",
        "mark",
        "max",
        "may",
        "miles",
        "nick",
        "pat",
        "ray",
        "rob",
        "rose",
        "sky",
        "sue",
        "will",
    )
)
"""Names that are English words, too: written small they are taken for the word."""


@dataclass(frozen=True, kw_only=True)
class Called:
    """What each person is called, by their id; `hidden` finds names in texts that do not mention anybody."""

    naming: Naming
    labels: Mapping[str, str]
    hidden: re.Pattern[str] | None = None
    hidden_labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def person(self, user: str | None) -> str:
        """What this person is called; nobody is said as such, and an id without a name stays."""
        if not user:
            return "nobody"
        return name_of(user) if is_pseudonym(user) and user not in self.labels else self.labels.get(user, user)

    def in_text(self, text: str) -> str:
        """Slack's mentions, links and emoji as a reader elsewhere would want them."""
        spelt = LINK.sub(r"\1", MENTION.sub(self._mentioned, text))
        return SKIN_TONE.sub("", self.hidden.sub(self._hidden, spelt) if self.hidden else spelt)

    def back(self, text: str, before: str) -> str:
        """An edited text with the mentions of the one it was made from: `@Mara` stands for `<@U0MARA>` again."""
        for found in MENTION.finditer(before):
            text = text.replace(f"@{self.person(found[1] or found[2])}", found[0])
        return text

    def _mentioned(self, found: re.Match[str]) -> str:
        return f"@{self.person(found[1] or found[2])}"

    def _hidden(self, found: re.Match[str]) -> str:
        return found[1] + self.hidden_labels.get(found[2].lower(), found[2])


def by_name(names: Mapping[str, str]) -> Called:
    """People by their names, as Slack has them."""
    return Called(naming=Naming.names, labels=names)


def by_role(facts: Facts, names: Mapping[str, str]) -> Called:
    """People by what they did here; their names are taken out of the texts, too.

    1. Who holds a role is called by it, the first of lead, facilitator, scribe and owner.
    2. The others on the timeline are responders, in order of the number of their first event: it never changes.
    3. Everybody else takes part, in the order in which the findings, actions and meetings name them.
    """
    labels = {user: role.value for role, user in reversed(_roles(facts)) if user}
    responders = [user for user in _responders(facts) if user not in labels]
    labels |= {user: f"responder {number}" for number, user in enumerate(dict.fromkeys(responders), 1)}
    others = [user for user in (*_others(facts), *sorted(names)) if user not in labels]
    labels |= {user: f"participant {number}" for number, user in enumerate(dict.fromkeys(others), 1)}
    written = {name: labels[user] for name, user in _written_names(names).items()}
    return Called(naming=Naming.roles, labels=labels, hidden=_any_of(written), hidden_labels=written)


def _roles(facts: Facts) -> list[tuple[Role, str | None]]:
    review = facts.review
    return [
        (Role.lead, facts.incident.lead),
        (Role.facilitator, review.facilitator),
        (Role.scribe, review.scribe),
        (Role.owner, review.owner),
    ]


def _responders(facts: Facts) -> Iterator[str]:
    """Who recorded or commented an event, by the events' numbers; programs are no responders."""

    def by_number(event: EventFacts) -> int:
        return event.number

    for event in sorted(facts.timeline, key=by_number):
        yield from _known((event.by, *(comment.by for comment in event.comments)))


def _others(facts: Facts) -> Iterator[str]:
    yield from _known(found.by for found in sorted(facts.findings, key=lambda found: found.number))
    for action in sorted(facts.actions, key=lambda action: action.number):
        yield from _known((action.owner, action.verified_by))
    for meeting in sorted(facts.review.meetings, key=lambda meeting: meeting.number):
        yield from _known(note.by for note in (*meeting.notes, *meeting.parked))
        yield from sorted(attendee.user for attendee in meeting.attendees)
    yield from _known(moment.by for moment in facts.incident.moments.values())
    yield from sorted({one or other for one, other in MENTION.findall(repr(facts))})


def _known(users: Iterable[str | None]) -> Iterator[str]:
    return (user for user in users if user and USER.fullmatch(user))


def _written_names(names: Mapping[str, str]) -> dict[str, str]:
    """Whose name it is, of whole names and of first names that only one of them has; written small."""
    first = [name.split()[0].lower() for name in names.values() if name.strip()]
    alone = {name.split()[0].lower(): user for user, name in names.items() if name.strip()}
    alone = {name: user for name, user in alone.items() if first.count(name) == 1}
    written = alone | {name.lower().strip(): user for user, name in names.items()}
    return {name: user for name, user in written.items() if len(name) >= SHORTEST_NAME}


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """These names as whole words, the longest first; one that is a word as well only with a capital."""
    longest = sorted(names, key=lambda name: (-len(name), name))
    written = "|".join(_as_written(name) for name in longest)
    return re.compile(rf"(?<![\w@.])(@?)({written})(?!\w)") if written else None


def _as_written(name: str) -> str:
    if name in ALSO_WORDS:
        return re.escape(name.capitalize())
    return f"(?i:{re.escape(name)})"
