"""Actions after the incident: propose them, move them on, show them, and remind their owners kindly."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.render import day, short
from bot.review import follow_up
from bot.review.follow_up import ActionState, Horizon
from bot.review.incident import UserId
from bot.review.lifecycle import Who, may
from bot.review.meeting_time import WEEKEND, working_morning_at
from bot.review.refusal import (
    InThePast,
    NeedsEvidence,
    NeedsOwner,
    NeedsPerson,
    NeedsReason,
    NeedsText,
    NoSuchAction,
    NotOneOfUs,
    NotYours,
    StillSoaking,
    UnknownSort,
    UnknownVerb,
    UnreadableDay,
)
from bot.review.when import read_day
from storage import actions, incidents, messages, people, silence
from storage.incidents import Where
from storage.models import Action, Incident, Message

EXAMPLE = "@name write the runbook for a full disk"
EVIDENCE = ("deployed", "tested", "documented")
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
MOST_SHOWN = 20
LONGEST_FROM_MESSAGE = 300
"""Characters of a message that become the wording of an action."""
ASKED_AGAIN = timedelta(days=7)
"""How long after the soak an owner who has not decided is asked once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An action as it is shown; `late` and `left` are days, `steps` are its owner's sensible next ones."""

    number: int
    text: str
    owner: str | None
    due: date | None
    late: int
    left: int
    state: ActionState
    horizon: Horizon
    priority: str | None
    category: str | None
    reason: str | None
    evidence: Mapping[str, str]
    verified_by: str | None
    incident: int
    title: str
    steps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """One action in somebody's hand: what a step is done to, and by whom."""

    turn: Turn
    action: Action
    incident: Incident
    by: UserId

    @property
    def zone(self) -> ZoneInfo:
        """The owner's zone: its days are theirs."""
        return _zone(self.turn, self.action.owner)

    @property
    def today(self) -> date:
        return self.turn.now.astimezone(self.zone).date()

    def record(self, what: str, before: str | None, after: str | None) -> None:
        incidents.record_change(
            self.turn.db,
            self.incident,
            "action",
            self.action.id,
            what=what,
            before=before,
            after=after,
            by=self.by,
            now=self.turn.now,
        )


# Proposing ------------------------------------------------------------------------------


def propose(
    turn: Turn,
    *,
    where: Where,
    by: UserId,
    owner: UserId | None,
    text: str,
    due_words: str | None = None,
    horizon: str | None = None,
    category: str | None = None,
    priority: str | None = None,
    channel: str | None = None,
    ts: str | None = None,
) -> Notes:
    """A new action with one owner and one due day; from one message there is at most one."""
    incident = incidents.at(turn.db, turn.team, where, by)
    known = actions.from_message(turn.db, incident.id, channel, ts) if channel and ts else None
    if known and not known.withdrawn_at:
        return [_shown(Held(turn, known, incident, by))]
    if not text.strip():
        raise NeedsText(verb="action", example=EXAMPLE)
    if not owner:
        raise NeedsOwner
    _require_person(turn, owner)
    term = Horizon(horizon) if horizon else follow_up.DEFAULT_HORIZON
    today = turn.now.astimezone(_zone(turn, owner)).date()
    wanted = _Wanted(text.strip(), owner, _due(due_words, term, today), term, category, priority, channel, ts)
    action = _put(turn, incident, known, wanted, by)
    return [_proposed(Held(turn, action, incident, by))]


@dataclass(frozen=True, slots=True)
class _Wanted:
    text: str
    owner: UserId
    due: date
    horizon: Horizon
    category: str | None = None
    priority: str | None = None
    channel: str | None = None
    ts: str | None = None


def _put(turn: Turn, incident: Incident, known: Action | None, wanted: _Wanted, by: UserId) -> Action:
    """A withdrawn proposal of the same message comes back under its number, in its new wording."""
    if known is None:
        return _write(turn, incident, wanted, by)
    known.withdrawn_at, known.proposed_by, known.proposed_at = None, by, turn.now
    known.text, known.owner, known.due, known.horizon = wanted.text, wanted.owner, wanted.due, wanted.horizon.value
    known.category, known.priority = wanted.category, wanted.priority
    Held(turn, known, incident, by).record("proposed", None, None)
    return known


def _write(turn: Turn, incident: Incident, wanted: _Wanted, by: UserId) -> Action:
    return actions.propose(
        turn.db,
        incident,
        text=wanted.text,
        owner=wanted.owner,
        due=wanted.due,
        horizon=wanted.horizon.value,
        category=wanted.category,
        priority=wanted.priority,
        by=by,
        now=turn.now,
        channel=wanted.channel,
        ts=wanted.ts,
    )


def _due(words: str | None, horizon: Horizon, today: date) -> date:
    if not words:
        return follow_up.default_due(horizon, today)
    due = read_day(words, today)
    if due is None:
        raise UnreadableDay(words=words.strip())
    if due < today:
        raise InThePast(words=words.strip())
    return due


def _require_person(turn: Turn, user: str) -> None:
    person = people.find(turn.db, turn.team, user)
    if user == "USLACKBOT" or (person and (person.bot_since or person.gone_since)):
        raise NotOneOfUs(user=user)


def _proposed(held: Held) -> Note:
    return Note.private(
        held.by,
        "action_proposed",
        line=_line(held),
        by=held.by,
        question=follow_up.wording_question(held.action.text),
        soaks_until=follow_up.soaks_until(held.action.proposed_at, held.zone),
        unreachable=actions.unreachable(held.turn.db, held.turn.team, held.incident, held.action.owner or ""),
    )


# Moving on ---------------------------------------------------------------------------------


def move(turn: Turn, *, by: UserId, number: int, step: str, text: str = "") -> Notes:
    """One step of an action, by its owner or by who leads the review; works anywhere."""
    held = _find(turn, number, by)
    word = step.strip().lower()
    if word not in STEPS:
        nearest = tuple(get_close_matches(word, STEPS, cutoff=0.5)) or tuple(STEPS)
        raise UnknownVerb(verb=f"action {number} {step}", nearest=tuple(f"action {number} {each}" for each in nearest))
    if word == "done" and held.action.state == ActionState.done:
        return _confirm(held)
    _require_hand(held, word)
    return STEPS[word](held, text.strip())


def finish(turn: Turn, *, by: UserId, number: int, evidence: Mapping[str, str]) -> Notes:
    """Done, with proof: one link or note for a quick fix; deployed, tested and documented, or why not, for the rest."""
    held = _find(turn, number, by)
    if held.action.state == ActionState.done:
        return _confirm(held)
    _require_hand(held, "done")
    state = follow_up.step(ActionState(held.action.state), ActionState.done)
    proof = {name: evidence[name].strip() for name in EVIDENCE if (evidence.get(name) or "").strip()}
    if len(proof) < (1 if held.action.horizon == Horizon.quick else len(EVIDENCE)):
        raise NeedsEvidence
    held.action.evidence, held.action.done_at, held.action.reason = proof, turn.now, None
    # Somebody else who brings the proof has seen it: nobody needs to look again.
    held.action.verified_by = None if by == held.action.owner else by
    _set_state(held, state)
    return [_moved(held, "done")]


def _find(turn: Turn, number: int, by: UserId) -> Held:
    found = actions.by_number(turn.db, turn.team, number, by)
    if found is None:
        raise NoSuchAction(number=number)
    return Held(turn, *found, by)


def _require_hand(held: Held, step: str) -> None:
    roles = incidents.roles(held.turn.db, held.incident.id)
    if held.by != held.action.owner and not may(Who.facilitating, held.by, roles):
        who = f"the one whose action it is, {Who.facilitating.label}"
        raise NotYours(who=who, verb=f"action {held.action.number} {step}", role="facilitator")


def _confirm(held: Held) -> Notes:
    """Somebody else than its owner says that it is done indeed."""
    if held.by == held.action.owner or held.action.verified_by:
        return [_shown(held)]
    held.action.verified_by = held.by
    held.record("verified_by", None, held.by)
    return [_moved(held, "confirmed")]


def _commit(held: Held, _: str) -> Notes:
    state = follow_up.step(ActionState(held.action.state), ActionState.committed)
    if held.action.state == state:
        return [_shown(held)]
    if not follow_up.soaked(held.action.proposed_at, held.turn.now, held.zone):
        until = follow_up.soaks_until(held.action.proposed_at, held.zone)
        raise StillSoaking(number=held.action.number, day=day(until))
    held.action.committed_at = held.turn.now
    _set_state(held, state)
    return [_moved(held, "commit")]


def _begin(held: Held, _: str) -> Notes:
    """Also what was done, when it turns out not to be."""
    state = follow_up.step(ActionState(held.action.state), ActionState.in_progress)
    held.action.reason = held.action.done_at = held.action.verified_by = None
    _set_state(held, state)
    return [_moved(held, "begin")]


def _block(held: Held, reason: str) -> Notes:
    state = follow_up.step(ActionState(held.action.state), ActionState.blocked)
    if not reason:
        raise NeedsReason(verb=f"action {held.action.number} block")
    held.action.reason = reason
    _set_state(held, state, because=reason)
    return [_moved(held, "block")]


def _decline(held: Held, reason: str) -> Notes:
    state = follow_up.step(ActionState(held.action.state), ActionState.declined)
    if not reason:
        raise NeedsReason(verb=f"action {held.action.number} decline")
    held.action.reason = reason
    _set_state(held, state, because=reason)
    return [_moved(held, "decline"), *_told(held)]


def _told(held: Held) -> Iterable[Note]:
    """The review's place hears once of what will not be done, but not while the incident still burns."""
    if incidents.moment(held.turn.db, held.incident.id, "mitigated") is None:
        return
    place = incidents.main_place(held.turn.db, held.incident.id)
    note = Note.once(f"declined:{held.action.id}", "action_declined", place, line=_line(held), by=held.by)
    yield replace(note, incident=held.incident.id)


def _done(held: Held, link: str) -> Notes:
    return finish(held.turn, by=held.by, number=held.action.number, evidence={"deployed": link})


def _redate(held: Held, words: str) -> Notes:
    before = held.action.due
    if not words:
        raise UnreadableDay(words=words)
    due = held.action.due = _due(words, Horizon(held.action.horizon), held.today)
    if due != before:
        held.record("due", before.isoformat() if before else None, due.isoformat())
    return [_moved(held, "due")]


def _hand_over(held: Held, words: str) -> Notes:
    named = MENTION.search(words)
    user = named[1] if named else words.split(maxsplit=1)[0].lstrip("@") if words else ""
    if not re.fullmatch(r"[UW][A-Z0-9]+", user):
        raise NeedsPerson(verb=f"action {held.action.number} owner")
    _require_person(held.turn, user)
    before, held.action.owner = held.action.owner, user
    if user != before:
        held.record("owner", before, user)
    return [_moved(held, "owner")]


def _prioritise(held: Held, words: str) -> Notes:
    known = [priority.value for priority in follow_up.Priority]
    if words.lower() not in known:
        raise UnknownSort(words=words, kind="priority", sorts=tuple(known))
    before, held.action.priority = held.action.priority, words.lower()
    if before != held.action.priority:
        held.record("priority", before, held.action.priority)
    return [_moved(held, "priority")]


def _set_state(held: Held, state: ActionState, *, because: str | None = None) -> None:
    before, held.action.state = held.action.state, state.value
    if before != state:
        held.record("state", before, state.value)
    if because:
        held.record("reason", None, because)


STEPS: Mapping[str, Callable[[Held, str], Notes]] = {
    "commit": _commit,
    "begin": _begin,
    "block": _block,
    "done": _done,
    "decline": _decline,
    "due": _redate,
    "owner": _hand_over,
    "priority": _prioritise,
}


# Showing --------------------------------------------------------------------------------------


def show(turn: Turn, *, by: UserId, number: int) -> Notes:
    """One action, with its next sensible steps."""
    return [_shown(_find(turn, number, by))]


def show_actions(turn: Turn, *, where: Where | None, by: UserId, which: str | None = None) -> Notes:
    """Actions by due day: mine (anywhere), open, overdue or all; of this incident, elsewhere of all I may see."""
    incident = actions.incident_at(turn.db, turn.team, where, by)
    wanted = which or ("open" if incident else "mine")
    if wanted not in WHICH:
        raise UnknownVerb(verb=f"actions {wanted}", nearest=tuple(f"actions {known}" for known in WHICH))
    found = _of(turn, incident, by) if wanted != "mine" else actions.open_of(turn.db, turn.team, by)
    lines = [_line(Held(turn, action, its, by)) for action, its in found]
    kept = [line for line in lines if WHICH[wanted](line)]
    facts = {"lines": kept[:MOST_SHOWN], "more": len(kept[MOST_SHOWN:]), "which": wanted}
    yield Note.private(by, "actions", title=incident.title if incident and wanted != "mine" else None, **facts)


def _of(turn: Turn, incident: Incident | None, by: UserId) -> list[tuple[Action, Incident]]:
    if incident is None:
        return actions.seen_by(turn.db, turn.team, by)
    return [(action, incident) for action in actions.of_incident(turn.db, incident.id)]


WHICH: Mapping[str, Callable[[Line], bool]] = {
    "mine": lambda line: line.state.is_open,
    "open": lambda line: line.state.is_open,
    "overdue": lambda line: line.state.is_open and line.late > 0,
    "all": lambda _: True,
}


def _shown(held: Held) -> Note:
    return Note.private(held.by, "action", line=_line(held))


def _moved(held: Held, step: str) -> Note:
    away = actions.unreachable(held.turn.db, held.turn.team, held.incident, held.action.owner or "")
    return Note.private(held.by, "action_moved", line=_line(held), step=step, by=held.by, unreachable=away)


def _line(held: Held) -> Line:
    action, late = held.action, (held.today - held.action.due).days if held.action.due else 0
    return Line(
        number=action.number,
        text=action.text,
        owner=action.owner,
        due=action.due,
        late=max(0, late),
        left=max(0, -late),
        state=ActionState(action.state),
        horizon=Horizon(action.horizon),
        priority=action.priority,
        category=action.category,
        reason=action.reason,
        evidence=action.evidence,
        verified_by=action.verified_by,
        incident=held.incident.id,
        title=held.incident.title,
        steps=_steps(held) if held.by == action.owner else (),
    )


def _steps(held: Held) -> tuple[tuple[str, str], ...]:
    """The buttons an owner is offered; a proposal rests before it can be committed."""
    if held.action.state == ActionState.proposed:
        rested = follow_up.soaked(held.action.proposed_at, held.turn.now, held.zone)
        return (("Commit", "commit"),) if rested else ()
    return NEXT_STEPS.get(ActionState(held.action.state), ())


NEXT_STEPS: Mapping[ActionState, tuple[tuple[str, str], ...]] = {
    ActionState.committed: (("Begin", "begin"), ("Done", "done")),
    ActionState.in_progress: (("Done", "done"),),
    ActionState.blocked: (("Go on", "begin"), ("Done", "done")),
}


def _zone(turn: Turn, user: str | None) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, user))


# The emoji that proposes ---------------------------------------------------------------------


def propose_from_reaction(turn: Turn, *, channel: str, ts: str) -> Notes:
    """What the emoji on a message ask for now: a proposal while somebody holds one, else its withdrawal."""
    message = actions.message(turn.db, turn.team, channel, ts)
    source = message and incidents.source_of_message(turn.db, turn.team, channel, thread=message.thread_ts, ts=ts)
    if not message or not source:
        return []
    incident = incidents.get(turn.db, source.incident_id)
    holder = _holder(turn, incident, channel, ts)
    known = actions.from_message(turn.db, incident.id, channel, ts)
    if holder:
        _propose_words(turn, incident, message, known, holder)
    elif known:
        _withdraw(turn, known, incident)
    return []


def propose_waiting(turn: Turn) -> Notes:
    """Draw what a crash left undrawn; asked before the timeline draws its part, which marks the emoji as done."""
    for channel, ts in messages.underived(turn.db, turn.team):
        propose_from_reaction(turn, channel=channel, ts=ts)
    return []


def _holder(turn: Turn, incident: Incident, channel: str, ts: str) -> UserId | None:
    """The first person who holds a proposing emoji on it, is still here and may see the incident."""
    programs = {*people.bots(turn.db, turn.team), people.workspace(turn.db, turn.team).bot_user}
    for reaction in actions.reactions_held(turn.db, turn.team, channel, ts):
        name = reaction.name.split("::")[0]
        if turn.house.emoji.get(name) != "action" or reaction.user_id in programs:
            continue
        if not actions.unreachable(turn.db, turn.team, incident, reaction.user_id):
            return UserId(reaction.user_id)
    return None


def _propose_words(turn: Turn, incident: Incident, message: Message, known: Action | None, holder: UserId) -> None:
    """The message's words, owned by who put the emoji there until somebody else is named."""
    words = short(message.plain or message.text, LONGEST_FROM_MESSAGE)
    if (known and not known.withdrawn_at) or message.deleted_at or not words:
        return
    today = turn.now.astimezone(_zone(turn, holder)).date()
    term = follow_up.DEFAULT_HORIZON
    due = follow_up.default_due(term, today)
    wanted = _Wanted(words, holder, due, term, channel=message.channel_id, ts=message.ts)
    action = _put(turn, incident, known, wanted, holder)
    Held(turn, action, incident, holder).record(actions.BY_EMOJI, None, None)


def _withdraw(turn: Turn, action: Action, incident: Incident) -> None:
    """Only while it is a proposal, and only what an emoji began: a form's action needs a word to go."""
    if action.withdrawn_at or action.state != ActionState.proposed or not actions.came_by_emoji(turn.db, action):
        return
    action.withdrawn_at = turn.now
    by = UserId(action.proposed_by or "")
    Held(turn, action, incident, by).record("withdrawn", None, None)


# Reminding ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One line of a person's digest, and the rungs that are said by it.

    `why` is commit (rested, decide), handed (it is yours now), due (a rung), late (it is in the review you own) or
    away (its owner cannot be reached).
    """

    why: str
    line: Line
    action: Action
    keys: tuple[str, ...]
    asks_why: bool = False


def remind_due(turn: Turn) -> Notes:
    """One message a person and morning with everything due for them; each rung of each action is said once.

    1. Nobody is told on a day off, outside working hours, or a second time on a day.
    2. Of rungs that were missed only the latest is said, so after days of silence one message comes.
    3. What somebody changed since this morning waits for the next one: they know.
    """
    owed = [Held(turn, action, incident, UserId("")) for action, incident in actions.still_open(turn.db, turn.team)]
    if owed:
        book = _Book(turn, owed)
        for user in sorted(book.people()):
            if _is_their_morning(turn, user):
                yield from _digest(turn, user, book.for_person(user))


def _digest(turn: Turn, user: UserId, reminders: list[Reminder]) -> Notes:
    said = [reminder for reminder in reminders if _climbed(turn, reminder)]
    if not said:
        return
    today = turn.now.astimezone(_zone(turn, user)).date()
    mine = [reminder for reminder in said if reminder.why in {"commit", "handed", "due"}]
    others = [reminder for reminder in said if reminder.why in {"late", "away"}]
    key = f"reminders:{user}:{today.isoformat()}"
    more = len(mine[MOST_SHOWN:]) + len(others[MOST_SHOWN:])
    yield Note.once(key, "reminder", user, mine=mine[:MOST_SHOWN], others=others[:MOST_SHOWN], more=more)


def _climbed(turn: Turn, reminder: Reminder) -> bool:
    climbed = [actions.climb(turn.db, reminder.action, key, now=turn.now) for key in reminder.keys]
    return any(climbed)


def _is_their_morning(turn: Turn, user: UserId) -> bool:
    """From the start of their working day on; the afternoon serves where nobody could speak in the morning."""
    person = people.find(turn.db, turn.team, user)
    zone = _zone(turn, user)
    local = turn.now.astimezone(zone)
    hours = turn.house.working_hours
    if (person and person.gone_since) or local.date().weekday() in WEEKEND:
        return False
    midnight = working_morning_at(local.date(), zone, datetime.min.time())
    at_work = hours.opens <= local.time() < hours.closes
    return at_work and not silence.told_since(turn.db, turn.team, user, midnight)


class _Book:
    """What is owed, and all that decides who hears of it, read in a few queries."""

    def __init__(self, turn: Turn, owed: list[Held]) -> None:
        ids = [held.action.id for held in owed]
        self.turn, self.owed = turn, owed
        self.said = actions.rungs(turn.db, ids)
        self.handed = actions.handed_over(turn.db, turn.team, ids)
        self.touched = actions.touched(turn.db, turn.team, ids)
        self.answering = {
            incident: incidents.roles(turn.db, incident).owner_or_lead for incident in {h.incident.id for h in owed}
        }

    def people(self) -> set[UserId]:
        """Everybody who may have to hear something."""
        owners = {UserId(held.action.owner) for held in self.owed if held.action.owner}
        return owners | {user for user in self.answering.values() if user}

    def for_person(self, user: UserId) -> list[Reminder]:
        """Theirs first, then what they answer for; nothing of an incident they may not see."""
        in_hand = [replace(held, by=user) for held in self.owed]
        mine = [self._to_owner(held) for held in in_hand if held.action.owner == user]
        answered = [held for held in in_hand if held.action.owner != user and self.answering[held.incident.id] == user]
        return [found for found in (*mine, *map(self._to_answering, answered)) if found]

    def _to_owner(self, held: Held) -> Reminder | None:
        """The rung of the day comes before the question to commit, and that before the news that it is theirs."""
        if self._touched_today(held) or self._away(held, held.by):
            return None
        rung = self._rung(held)
        keys = (*([rung.key] if rung else []), *self._soaked(held), *self._handed(held))
        if not keys:
            return None
        why = "due" if rung else "commit" if self._soaked(held) else "handed"
        asks = rung is not None and rung.asks_why
        return Reminder(why=why, line=_line(held), action=held.action, keys=keys, asks_why=asks)

    def _to_answering(self, held: Held) -> Reminder | None:
        """Whoever answers for the review hears once of an owner out of reach, and once of two weeks' delay."""
        if self._away(held, held.by):
            return None
        owner = UserId(held.action.owner or "")
        away, late = f"away:{owner}", f"{held.action.due}:told"
        said = self.said[held.action.id]
        if away not in said and self._away(held, owner):
            return Reminder(why="away", line=_line(held), action=held.action, keys=(away,))
        if late not in said and _is_two_weeks_late(held):
            return Reminder(why="late", line=_line(held), action=held.action, keys=(late,))
        return None

    def _rung(self, held: Held) -> follow_up.Rung | None:
        if not held.action.due or not ActionState(held.action.state).is_promised:
            return None
        return next(iter(follow_up.rungs_due(held.action.due, held.today, self.said[held.action.id])), None)

    def _soaked(self, held: Held) -> list[str]:
        """A proposal that has rested is asked about, and once more a week later."""
        until = follow_up.soaks_until(held.action.proposed_at, held.zone)
        if held.action.state != ActionState.proposed or held.today < until:
            return []
        keys = ["soak:1"] if held.today < until + ASKED_AGAIN else ["soak:1", "soak:2"]
        return [] if keys[-1] in self.said[held.action.id] else keys

    def _handed(self, held: Held) -> list[str]:
        change = self.handed.get(held.action.id)
        if not change or change.after != held.by or change.by == held.by:
            return []
        key = f"handed:{change.id}"
        return [] if key in self.said[held.action.id] else [key]

    def _touched_today(self, held: Held) -> bool:
        touched = self.touched.get(held.action.id, held.action.proposed_at)
        return touched >= working_morning_at(held.today, held.zone, self.turn.house.working_hours.opens)

    def _away(self, held: Held, user: UserId) -> bool:
        return actions.unreachable(self.turn.db, self.turn.team, held.incident, user) is not None


def _is_two_weeks_late(held: Held) -> bool:
    if not held.action.due or not ActionState(held.action.state).is_promised:
        return False
    return any(rung.tells_owner for rung in follow_up.ladder(held.action.due, held.today))
