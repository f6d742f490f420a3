"""What `debrief verify` says: whether an incident's messages are what was entered in the books, in plain sentences."""

from collections.abc import Iterator

from storage.models import Incident
from storage.verification import Found, Verdict
from storage.witness import shown

SENTENCES = {
    "changed": "its words, its author, its place or its time were changed",
    "unentered": "it has a wording that nobody entered",
    "taken": "words of it were entered and are gone, and no deletion or erasure was entered",
    "unsalted": "what its words are checked against was taken away, and no erasure was entered",
    "misdated": "it is filed under another moment than the time Slack gave it",
    "back": "it has words again, though the end of its words was entered",
    "link": "an entry about it was changed",
    "order": "an entry about it stands where it was not entered",
    "gap": "entries are missing before this one",
    "row gone": "a message that was kept right after it is gone, and not even its tombstone is left",
    "seed": "its beginning was changed",
    "leaned": "this entry stood there when a later book was begun, and was changed or taken away since",
    "stray": "there is no such book, and yet an entry of it",
    "too many unentered": "more messages are without an entry than there were before the witness",
    "head": "the head that was published with the summary is not in the books",
}


def told(incident: Incident, verdict: Verdict) -> Iterator[str]:
    """What was read, then what was found: the first things in full, the rest counted."""
    yield f"Incident {incident.id}, “{incident.title}”: {_counted(verdict)}."
    if verdict.older:
        older = _many(verdict.older, "message")
        yield f"{older} of these were kept before there was a witness, and nothing speaks for them."
    if verdict.others:
        others = _many(verdict.others, "other message")
        yield f"{others} of the workspace are compared, too: what was taken out of the incident stands among them."
    yield from _books(verdict)
    for book in verdict.unread:
        yield (
            f"Book {book} cannot be checked: the key it was written with is not at hand. "
            "Set DEBRIEF_WITNESS_KEY to what it was then, and verify again."
        )
    if not verdict.count:
        rest = "Of what can be checked, nothing" if verdict.unread else "Nothing"
        yield f"{rest} was changed behind the program's back."
        return
    yield f"NOT as it was entered, in {_many(verdict.count, 'place')}:"
    yield from (f"- {_where(found)}: {SENTENCES[found.fault]}." for found in verdict.first)
    if verdict.count > len(verdict.first):
        yield f"- and {verdict.count - len(verdict.first)} more."


def _counted(verdict: Verdict) -> str:
    gone = f", {verdict.gone} of them deleted or erased" if verdict.gone else ""
    return f"{_many(verdict.messages, 'message')}{gone}, with {_many(verdict.wordings, 'wording')}"


def _many(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _books(verdict: Verdict) -> Iterator[str]:
    if verdict.head is None:
        yield "The witness has no book yet."
        return
    books = f"{_many(verdict.books, 'book')} with {_many(verdict.lines, 'entry', 'entries')}"
    yield f"The witness: {books}; it stands at {shown(verdict.head)}."
    if verdict.published:
        yield f"The summary was published with {shown(verdict.published)}; the same is to be read in Slack."
    if verdict.kept_key:
        yield "Its key lies in the database itself. DEBRIEF_WITNESS_KEY would keep it elsewhere."


def _where(found: Found) -> str:
    line = f", entry {found.line}" if found.line is not None else ""
    book = f"Book {found.book}{line}" if found.book is not None else ""
    message = f"{found.channel} {found.ts}" if found.ts else ""
    edited = f", edited {found.edited_ts}" if message and found.edited_ts else ""
    return " of ".join(filter(None, (book, f"message {message}{edited}" if message else ""))) or "The archive"
