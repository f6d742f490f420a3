"""Editing the written review: every text is changed where it belongs, so that each format tells it anew."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot import formats
from bot.desk import Note, Notes, Turn
from bot.printing import Press
from bot.reports import ours
from bot.review import edited, secrets
from bot.review.incident import UserId
from bot.review.lifecycle import Stage, Who, require
from bot.review.naming import Called
from bot.review.refusal import CannotTakeIn, EditedMeanwhile, NotDrafted, ReviewClosed
from storage import incidents, reports, reviews, wording
from storage.incidents import Where
from storage.models import Incident, Review
from storage.wording import Wording

PAGE = 15
"""Texts on one page of the form."""
PARTS: Mapping[str, str] = {
    "page": "The first page",
    "findings": "Findings",
    "actions": "Actions",
    "timeline": "The timeline",
}
"""The parts of the form, each with the words on its button."""
PART_OF = {"finding": "findings", "action": "actions", "event": "timeline"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text that can be changed: its key, and how it is read."""

    key: str
    words: str

    @property
    def mark(self) -> str:
        """By which it is known to be the same still."""
        return hashlib.sha256(self.words.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the form: a part of the report, and its texts."""

    part: str
    number: int
    pages: int
    texts: tuple[Text, ...]


# Choosing what to change ---------------------------------------------------------------


def offer(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The parts of the report, each with a button to change it; says `report_edit`."""
    incident, _ = _to_edit(turn, where, by)
    sheets = [sheet(turn, where=where, by=by, part=part) for part in PARTS]
    yield Note.private(by, "report_edit", incident=incident.id, pages=list(_pages(sheets)))


def _pages(sheets: Iterable[Sheet]) -> Iterator[tuple[str, str]]:
    """The button of every page, and what it types."""
    for one in sheets:
        for number in range(1, one.pages + 1):
            label = PARTS[one.part] if one.pages == 1 else f"{PARTS[one.part]} {number}"
            yield label, f"edit {one.part} {number}"


def sheet(turn: Turn, *, where: Where, by: UserId, part: str, number: int = 1) -> Sheet:
    """What this person may change there now; raises what `rewrite` would."""
    incident, _ = _to_edit(turn, where, by)
    called = _called(turn, incident)
    texts = [Text(key, called.in_text(words)) for key, words in wording.texts(turn.db, incident).items()]
    of_part = [text for text in texts if PART_OF.get(text.key.partition(" ")[0], "page") == part]
    pages = max(1, -(-len(of_part) // PAGE))
    at = min(max(1, number), pages)
    return Sheet(part, at, pages, tuple(of_part[(at - 1) * PAGE : at * PAGE]))


# Changing it -----------------------------------------------------------------------------


def rewrite(turn: Turn, *, where: Where, by: UserId, texts: Mapping[str, str], seen: Mapping[str, str]) -> Notes:
    """Put new words in the place of those under these keys, and say anew in Slack what was published.

    `seen` are the marks of what the form showed: where somebody else has changed such a text since, nothing is changed.
    """
    incident, review = _to_edit(turn, where, by)
    called = _called(turn, incident)
    before = {key: Text(key, called.in_text(words)) for key, words in wording.texts(turn.db, incident).items()}
    new = {key: words for key, words in _clean(texts).items() if key in before and _is_new(before[key], words, seen)}
    meanwhile = [key for key in new if key in seen and seen[key] != before[key].mark]
    if meanwhile:
        raise EditedMeanwhile(what=", ".join(map(said, meanwhile)))
    _put(turn, incident, review, new, by=by)
    published = review.published_at is not None
    yield Note.private(by, "report_edited", changed=list(map(said, new)), incident=incident.id, is_published=published)


def _is_new(before: Text, words: str, seen: Mapping[str, str]) -> bool:
    """Whether somebody changed it in the form; what it showed and what came back is the same otherwise."""
    return Text(before.key, words).mark not in {before.mark, seen.get(before.key)}


def take_in(turn: Turn, *, incident_id: int, markdown: str) -> list[tuple[str, str, str]]:
    """Put in place what was changed in the report's Markdown, at the machine: what, from which words, to which.

    All of it, or nothing: raises CannotTakeIn, which names each line that is in the way.
    """
    incident = incidents.get(turn.db, incident_id)
    review = reviews.of(turn.db, incident)
    _require_open(turn, incident, review)
    report = formats.written(turn.db, incident, turn.house)
    found = edited.read(ours().marked(report), markdown)
    if found.refused:
        raise CannotTakeIn(lines="\n".join(f"- {one.said}" for one in found.refused))
    texts = _in_whole(incident, _clean(found.texts))
    called, before = _called(turn, incident), wording.texts(turn.db, incident)
    _put(turn, incident, review, texts, by=None)
    return [(said(key), called.in_text(before[key]), words) for key, words in texts.items()]


def _in_whole(incident: Incident, texts: Mapping[str, str]) -> Mapping[str, str]:
    """The sentences of the summary are three lines of one text."""
    lines = (incident.summary or "").strip().split("\n")
    whole = {key: words for key, words in texts.items() if not key.startswith("summary ")}
    sentences = {int(key.split()[1]): words for key, words in texts.items() if key not in whole}
    if len(lines) > 3:
        lines = ["\n".join(lines)]
    new = [sentences.get(number, line) for number, line in enumerate(lines, 1)]
    return whole | ({"summary": "\n".join(new)} if sentences else {})


def _clean(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Without secrets and without the space around them; what would be left without words is left as it is."""
    without = {key: secrets.replace(words.strip())[0] for key, words in texts.items()}
    return {key: words for key, words in without.items() if words}


def _put(turn: Turn, incident: Incident, review: Review, texts: Mapping[str, str], *, by: UserId | None) -> None:
    called, before = _called(turn, incident), wording.texts(turn.db, incident)
    for key, words in texts.items():
        text = called.back(words, before[key])
        wording.reword(Wording(db=turn.db, incident=incident, text=text, by=by, now=turn.now), key)
    if texts:
        review.draft = Press(turn.house.templates).markdown(formats.written(turn.db, incident, turn.house))
        review.approved_at = review.approved_at if review.published_at else None


def _to_edit(turn: Turn, where: Where, by: UserId) -> tuple[Incident, Review]:
    """The review whose report this person may edit; raises where there is none yet, or it is over."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.owning, by, incidents.roles(turn.db, incident.id), "report edit")
    review = reviews.of(turn.db, incident)
    _require_open(turn, incident, review)
    return incident, review


def _require_open(turn: Turn, incident: Incident, review: Review) -> None:
    if reviews.stage(turn.db, incident) is Stage.closed:
        raise ReviewClosed
    if not review.drafted_at:
        raise NotDrafted


def _called(turn: Turn, incident: Incident) -> Called:
    return formats.called_in(turn.db, reports.read(turn.db, incident), turn.house.report_names)


SAID = {"summary": "the summary", "impact": "the impact in words", "went": "how meeting {} went"}


def said(key: str) -> str:
    """What a key stands for, as it is said: `finding 3`, `the summary`, `how meeting 1 went`."""
    what, _, number = key.partition(" ")
    return SAID.get(what, key).format(number)
