"""Findings after they were noted: shown, worded anew, sorted, placed, merged, dropped, and seen again.

Every change is a line of history. The agenda is not drawn here: whoever serves these lets
`facilitating.refresh` follow.
"""

from dataclasses import dataclass

from bot.desk import Note, Notes, Turn
from bot.review.findings import FindingKind, read_finding_kind
from bot.review.incident import UserId
from bot.review.refusal import NeedsText, NoSuchEvent, NoSuchFinding, Refused
from bot.wording import Thing, look_over
from storage import findings, incidents, walk
from storage.findings import NOT_THE_SAME, RECURS
from storage.incidents import Where
from storage.models import Finding, Incident


@dataclass(eq=False)
class UnknownSort(Refused):
    """A {kind} comes in these sorts: {sorts}. `none` takes the sort away."""

    kind: str
    sorts: str


@dataclass(eq=False)
class WithoutSorts(Refused):
    """A {kind} has no sorts."""

    kind: str


class MergedIntoItself(Refused):
    """A finding cannot be merged into itself. Name the other one behind `merge`."""


@dataclass(eq=False)
class NothingToTakeBack(Refused):
    """Finding {number} stands as it is; there is nothing to take back."""

    number: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A finding of an incident, in the hands of somebody."""

    turn: Turn
    incident: Incident
    row: Finding
    by: UserId

    def record(self, what: str, before: str | None, after: str | None) -> None:
        incidents.record_change(
            self.turn.db,
            self.incident,
            "finding",
            self.row.id,
            what=what,
            before=before,
            after=after,
            by=self.by,
            now=self.turn.now,
        )


# One finding ------------------------------------------------------------------------------


def show(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """A finding with what was merged into it, where it came from and where it was seen before; says `finding`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    row = findings.numbered(turn.db, incident.id, number)
    if row is None:
        raise NoSuchFinding(number=number)
    yield _shown(_Held(turn, incident, row, by), "shown")


def _shown(held: _Held, done: str) -> Note:
    db, row = held.turn.db, held.row
    kind = FindingKind(row.kind)
    into = findings.merged_into(db, row)
    return Note.private(
        held.by,
        "finding",
        done=done,
        incident=held.incident.id,
        number=row.number,
        kind=kind,
        sort=row.sort,
        text=row.text,
        event=findings.events_behind(db, held.incident.id).get(row.number),
        parts=findings.parts(db, row),
        earlier=findings.seen_before(db, row, held.by),
        into=into.number if into else None,
        is_dropped=row.dropped_at is not None,
    )


def _hold(turn: Turn, where: Where, by: UserId, number: int) -> _Held:
    """A finding that stands; one that was merged stands as what it was merged into. Raises NoSuchFinding."""
    incident = incidents.at(turn.db, turn.team, where, by)
    row = findings.numbered(turn.db, incident.id, number)
    stands = findings.merged_into(turn.db, row) or row if row else None
    if stands is None or stands.dropped_at:
        raise NoSuchFinding(number=number)
    return _Held(turn, incident, stands, by)


def revise(
    turn: Turn,
    *,
    where: Where,
    by: UserId,
    number: int,
    text: str | None = None,
    kind: str = "",
    sort: str = "",
    event: int | str | None = None,
) -> Notes:
    """Give it another text, kind, sort or event; what is not named, or the same, stays. Says `finding`.

    Raises NoSuchFinding, NeedsText, UnknownFindingKind, UnknownSort and NoSuchEvent.
    """
    held = _hold(turn, where, by, number)
    if kind:
        _sort_as(held, read_finding_kind(kind))
    if sort:
        _sort(held, sort.strip().lower())
    if event is not None:
        _place(held, event)
    before = held.row.text
    if text is not None:
        _word(held, text.strip())
    turn.db.flush()
    yield _shown(held, "revised")
    if held.row.text != before:
        yield from look_over(turn, held.incident, Thing.finding, by=by, number=held.row.number, text=held.row.text)


def _sort_as(held: _Held, kind: FindingKind) -> None:
    if kind.value != held.row.kind:
        held.record("kind", held.row.kind, kind.value)
        held.row.kind = kind.value
        if held.row.sort not in kind.sorts:
            _set_sort(held, None)


def _sort(held: _Held, sort: str) -> None:
    kind = FindingKind(held.row.kind)
    if sort == "none":
        _set_sort(held, None)
        return
    if not kind.sorts:
        raise WithoutSorts(kind=kind.label)
    if sort not in kind.sorts:
        raise UnknownSort(kind=kind.label, sorts=", ".join(kind.sorts))
    _set_sort(held, sort)


def _set_sort(held: _Held, sort: str | None) -> None:
    if sort != held.row.sort:
        held.record("sort", held.row.sort, sort)
        held.row.sort = sort


def _place(held: _Held, number: int | str) -> None:
    """Behind it is the event of this number; with `none`, no event."""
    event = walk.event(held.turn.db, held.incident, number) if isinstance(number, int) else None
    if event is None and number != "none":
        raise NoSuchEvent(number=number)
    before = findings.events_behind(held.turn.db, held.incident.id).get(held.row.number)
    after = event.number if event else None
    if before != after:
        held.record("event", *(None if one is None else str(one) for one in (before, after)))
        findings.place(held.turn.db, held.row, event)


def _word(held: _Held, text: str) -> None:
    if not text:
        raise NeedsText(verb=f"finding {held.row.number} edit", example="the pool had no limit")
    if text != held.row.text:
        held.record("text", held.row.text, text)
        held.row.text = text


# Merged, dropped, taken back -------------------------------------------------------------------


def merge(turn: Turn, *, where: Where, by: UserId, number: int, others: list[int]) -> Notes:
    """Let others be part of this one: their words stay readable, and what answers them answers this. Says `finding`."""
    held = _hold(turn, where, by, number)
    rows = [_hold(turn, where, by, other).row for other in others]
    if not rows or held.row in rows:
        raise MergedIntoItself
    for row in rows:
        _Held(turn, held.incident, row, by).record("merged into", None, str(held.row.number))
        findings.merge(turn.db, held.row, row, now=turn.now)
    yield _shown(held, "merged")


def drop(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """It is no finding any more; the number is not used again, and `take_back` brings it back. Says `finding`."""
    held = _hold(turn, where, by, number)
    held.record("dropped", None, held.row.text)
    held.row.dropped_at = turn.now
    turn.db.flush()
    yield _shown(held, "dropped")


def take_back(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """Dropped or merged by mistake: it stands on its own again, under its number. Says `finding`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    row = findings.numbered(turn.db, incident.id, number)
    if row is None:
        raise NoSuchFinding(number=number)
    if row.dropped_at is None:
        raise NothingToTakeBack(number=number)
    held = _Held(turn, incident, row, by)
    held.record("taken back", None, row.text)
    findings.take_back(turn.db, row)
    yield _shown(held, "taken_back")


# The same again ---------------------------------------------------------------------------------


def see_again(turn: Turn, *, where: Where, by: UserId, number: int, earlier: int) -> Notes:
    """It is the same as a finding of another review, by its row id; says `finding`. Raises NoSuchFinding."""
    held = _hold(turn, where, by, number)
    before = findings.earlier_seen(turn.db, held.row, earlier, by)
    if before is None:
        raise NoSuchFinding(number=number)
    held.record(RECURS, None, str(before.id))
    findings.recurs(turn.db, held.row, before)
    yield _shown(held, "recurs")


def see_as_new(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """It is not the same: nothing is offered for it again. Says `finding`."""
    held = _hold(turn, where, by, number)
    held.record(NOT_THE_SAME, None, None)
    yield _shown(held, "new")
