"""Actions after the incident: propose them, move them on, show them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from bot.desk import Note, Notes, Turn
from bot.holding import (
    Held,
    as_typed,
    due_day,
    find,
    proposal_of,
    require_hand,
    require_open,
    require_person,
    require_say,
    zone_of,
)
from bot.render import day, short
from bot.review import follow_up
from bot.review.agenda import ACTIONS, Agenda
from bot.review.clarity import question_about
from bot.review.follow_up import ActionState, ActionWords, Horizon, Shown
from bot.review.incident import UserId
from bot.review.refusal import (
    NeedsDay,
    NeedsEvidence,
    NeedsPerson,
    NeedsReason,
    NeedsText,
    NoSuchEvent,
    NoSuchFinding,
    StillSoaking,
    UnknownPriority,
    UnknownVerb,
)
from bot.wording import Thing, look_over
from storage import actions, findings, incidents, messages, reviews, walk
from storage.actions import Proposal
from storage.incidents import Where
from storage.models import Action, Finding, Incident, Message, TimelineEvent

EVIDENCE = ("deployed", "tested", "documented")
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
MOST_SHOWN = 20
LONGEST_FROM_MESSAGE = 300
"""Characters of a message that become the wording of an action."""


# Proposing ------------------------------------------------------------------------------


def propose(
    turn: Turn, *, where: Where, by: UserId, wording: ActionWords, channel: str | None = None, ts: str | None = None
) -> Notes:
    """A new action with one owner and one due day; from one message there is at most one.

    Raises NeedsText, NeedsOwner, NotOneOfUs, UnreadableDay, DayInThePast, NoSuchFinding and NoSuchEvent.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    known = actions.from_message(turn.db, incident.id, channel, ts) if channel and ts else None
    if known and not known.withdrawn_at:
        return [_shown(Held(turn, known, incident, by))]
    proposal = replace(proposal_of(turn, wording), channel_id=channel, ts=ts)
    answered = [_finding(turn, incident, number) for number in wording.answers]
    event = _event(turn, incident, wording.event) if wording.event is not None else None
    held = _put(turn, incident, known, proposal=proposal, by=by)
    actions.answer(turn.db, held.action, answered)
    if event:
        actions.came_up_at(turn.db, held.action, event)
    number, text = held.action.number, held.action.text
    return [_proposed(held, wording), *look_over(turn, incident, Thing.action, by=by, number=number, text=text)]


def _finding(turn: Turn, incident: Incident, number: int) -> Finding:
    found = findings.find(turn.db, incident.id, number)
    if found is None:
        raise NoSuchFinding(number=number)
    return found


def _event(turn: Turn, incident: Incident, number: int) -> TimelineEvent:
    found = walk.event(turn.db, incident, number)
    if found is None:
        raise NoSuchEvent(number=number)
    return found


def _put(turn: Turn, incident: Incident, known: Action | None, *, proposal: Proposal, by: UserId) -> Held:
    """A withdrawn proposal of the same message comes back under its number, in its new wording."""
    if known is None:
        return Held(turn, actions.propose(turn.db, incident, proposal, by=by, now=turn.now), incident, by)
    actions.propose_again(known, proposal, by=by, now=turn.now)
    held = Held(turn, known, incident, by)
    held.record("proposed", None, None)
    return held


def _proposed(held: Held, wording: ActionWords) -> Note:
    """One question back at most: how one knows that it is finished, else what it may change besides; never twice."""
    if _is_parked(held):
        return _parked(held)
    question = question_about(held.action.text)
    asked = "wording" if question else "effects" if wording.second_order is None else None
    return Note.private(
        held.by,
        "action_proposed",
        line=held.shown(),
        by=held.by,
        asked=asked,
        question=question,
        soaks_until=held.soaks_until,
        unreachable=actions.unreachable(held.turn.db, held.turn.team, held.incident, held.action.owner or ""),
    )


def _is_parked(held: Held) -> bool:
    """Whether this house keeps it until the meeting comes to its actions, and that is still to come."""
    if held.turn.house.actions != "parked":
        return False
    review = reviews.of(held.turn.db, held.incident)
    sitting = reviews.open_meeting(held.turn.db, review)
    if sitting is None or sitting.agenda is None:
        return reviews.planned_meeting(held.turn.db, review) is not None
    agenda = Agenda.from_json(sitting.agenda)
    names = [topic.name for topic in agenda.topics]
    return agenda.current < names.index(ACTIONS) and not agenda.spent[names.index(ACTIONS)]


def _parked(held: Held) -> Note:
    """Thanks, and no question now: the room is at something else."""
    away = actions.unreachable(held.turn.db, held.turn.team, held.incident, held.action.owner or "")
    return Note.private(held.by, "action_parked", line=held.shown(), unreachable=away)


# Moving on ---------------------------------------------------------------------------------


def move(turn: Turn, *, by: UserId, number: int, step: str, text: str = "") -> Notes:
    """One step of an action, by its owner or by who leads the review; works anywhere."""
    held = find(turn, number, by)
    word = step.strip().lower()
    if word not in STEPS:
        nearest = tuple(get_close_matches(word, [*STEPS, *STEPS_APART], cutoff=0.5)) or tuple(STEPS)
        raise UnknownVerb(verb=f"action {number} {step}", nearest=tuple(f"action {number} {each}" for each in nearest))
    if word == "done" and held.action.state == ActionState.done:
        return _confirm(held)
    (require_say if STEPS[word] is _reword else require_hand)(held, word)
    return STEPS[word](held, text.strip())


def reshape(turn: Turn, *, by: UserId, number: int, wording: ActionWords) -> Notes:
    """Another wording, day, owner, horizon and whatever else the form asks; what stays as it was leaves no history.

    Raises NeedsText, NeedsOwner, NotOneOfUs, UnreadableDay, DayInThePast and AnotherStep.
    """
    held = find(turn, number, by)
    require_say(held, "edit")
    require_open(held, "edit")
    if wording.due_words == as_typed(held.action.due):
        # A day that has passed may stand while something else is changed.
        wording = replace(wording, due_words=None)
        proposal = replace(proposal_of(turn, wording), due=held.action.due)
    else:
        proposal = proposal_of(turn, wording)
    for name in RESHAPED:
        held.change(name, getattr(proposal, name))
    return [_moved(held, "edit")]


RESHAPED = ("text", "due", "owner", "horizon", "category", "priority", "team", "second_order")
"""What the form asks anew, in the order in which it is read."""


def finish(turn: Turn, *, by: UserId, number: int, evidence: Mapping[str, str]) -> Notes:
    """Done, with proof: one link or note for a quick fix; deployed, tested and documented, or why not, for the rest."""
    held = find(turn, number, by)
    if held.action.state == ActionState.done:
        return _confirm(held)
    require_hand(held, "done")
    state = held.step(ActionState.done)
    proof = {name: evidence[name].strip() for name in EVIDENCE if (evidence.get(name) or "").strip()}
    if len(proof) < (1 if held.action.horizon == Horizon.quick else len(EVIDENCE)):
        raise NeedsEvidence
    held.action.evidence, held.action.done_at, held.action.reason = proof, turn.now, None
    # Somebody else who brings the proof has seen it: nobody needs to look again.
    held.action.verified_by = None if by == held.action.owner else by
    _set_state(held, state)
    return [_moved(held, "done")]


def _confirm(held: Held) -> Notes:
    """Somebody else than its owner says that it is done indeed."""
    if held.by == held.action.owner or held.action.verified_by:
        return [_shown(held)]
    held.action.verified_by = held.by
    held.record("verified_by", None, held.by)
    return [_moved(held, "confirmed")]


def _commit(held: Held, _: str) -> Notes:
    state = held.step(ActionState.committed)
    if held.action.state == state:
        return [_shown(held)]
    if held.today < held.soaks_until:
        raise StillSoaking(number=held.action.number, day=day(held.soaks_until))
    held.action.committed_at = held.turn.now
    _set_state(held, state)
    return [_moved(held, "commit")]


def _propose_again(held: Held, _: str) -> Notes:
    """A no that was thought over: it waits again, and gets a new day where its own has passed."""
    state = held.step(ActionState.proposed)
    if held.action.state == state:
        return [_shown(held)]
    held.action.reason, held.action.proposed_at = None, held.turn.now
    _set_state(held, state)
    if held.action.due and held.action.due < held.today:
        _set_due(held, follow_up.default_due(Horizon(held.action.horizon), held.today))
    return [_moved(held, "propose")]


def _begin(held: Held, _: str) -> Notes:
    """Also what was done, when it turns out not to be; it gets a new day where its own has passed."""
    state, was_done = held.step(ActionState.in_progress), held.action.done_at is not None
    held.action.reason = held.action.done_at = held.action.verified_by = None
    held.action.worked = held.action.worked_at = None
    _set_state(held, state)
    if was_done and held.action.due and held.action.due < held.today:
        _set_due(held, follow_up.default_due(Horizon(held.action.horizon), held.today))
    return [_moved(held, "begin")]


def _block(held: Held, reason: str) -> Notes:
    state = held.step(ActionState.blocked)
    if not reason:
        raise NeedsReason(verb=f"action {held.action.number} block")
    held.action.reason = reason
    _set_state(held, state, because=reason)
    return [_moved(held, "block")]


def _decline(held: Held, reason: str) -> Notes:
    state = held.step(ActionState.declined)
    if not reason:
        raise NeedsReason(verb=f"action {held.action.number} decline")
    held.action.reason = reason
    _set_state(held, state, because=reason)
    return [_moved(held, "decline"), *_told(held)]


def _told(held: Held) -> Iterable[Note]:
    """The review's place hears once of each no to a proposal, but not while the incident still burns."""
    if incidents.moment(held.turn.db, held.incident.id, "mitigated") is None:
        return
    place = incidents.main_place(held.turn.db, held.incident.id)
    note = Note.once(
        f"declined:{held.action.id}:{held.action.proposed_at:%Y%m%dT%H%M%S}",
        "action_declined",
        place,
        line=held.shown(),
        by=held.by,
    )
    yield replace(note, incident=held.incident.id)


def _done(held: Held, link: str) -> Notes:
    return finish(held.turn, by=held.by, number=held.action.number, evidence={"deployed": link})


def _redate(held: Held, words: str) -> Notes:
    require_open(held, "due")
    if not words:
        raise NeedsDay(verb=f"action {held.action.number} due")
    _set_due(held, due_day(words, Horizon(held.action.horizon), held.today))
    return [_moved(held, "due")]


def _set_due(held: Held, due: date) -> None:
    held.change("due", due)


def _reword(held: Held, words: str) -> Notes:
    """What was typed after it is the new wording; the rest stays."""
    require_open(held, "edit")
    if not words:
        raise NeedsText(verb=f"action {held.action.number} edit", example="write the runbook for a full disk")
    held.change("text", words)
    return [_moved(held, "edit")]


def _hand_over(held: Held, words: str) -> Notes:
    require_open(held, "owner")
    named = MENTION.search(words)
    user = named[1] if named else words.split(maxsplit=1)[0].lstrip("@") if words else ""
    if not re.fullmatch(r"[UW][A-Z0-9]+", user):
        raise NeedsPerson(verb=f"action {held.action.number} owner")
    require_person(held.turn, user)
    held.change("owner", user)
    return [_moved(held, "owner")]


def _prioritise(held: Held, words: str) -> Notes:
    if words.lower() not in {priority.value for priority in follow_up.Priority}:
        raise UnknownPriority
    held.change("priority", words.lower())
    return [_moved(held, "priority")]


def _set_state(held: Held, state: ActionState, *, because: str | None = None) -> None:
    held.change("state", state.value)
    if because:
        held.record("reason", None, because)


STEPS: Mapping[str, Callable[[Held, str], Notes]] = {
    "propose": _propose_again,
    "commit": _commit,
    "begin": _begin,
    "block": _block,
    "done": _done,
    "decline": _decline,
    "edit": _reword,
    "reshape": _reword,
    "due": _redate,
    "owner": _hand_over,
    "priority": _prioritise,
}
STEPS_APART = ("worked", "snooze")
"""What else is typed after an action's number, and done elsewhere."""


# Showing --------------------------------------------------------------------------------------


def show(turn: Turn, *, by: UserId, number: int) -> Notes:
    """One action, with its next sensible steps."""
    return [_shown(find(turn, number, by))]


def show_actions(turn: Turn, *, where: Where | None, by: UserId, which: str | None = None) -> Notes:
    """Actions by due day: mine (anywhere), open, overdue or all; of this incident, elsewhere of all I may see."""
    incident = actions.incident_at(turn.db, turn.team, where, by)
    wanted = which or ("open" if incident else "mine")
    if wanted not in WHICH:
        raise UnknownVerb(verb=f"actions {wanted}", nearest=tuple(f"actions {known}" for known in WHICH))
    found = _of(turn, incident, by) if wanted != "mine" else actions.open_of(turn.db, turn.team, by)
    house = {"soak": turn.house.policy.soak_days, "days_off": turn.house.days_off}
    lines = [actions.as_shown(turn.db, action, its, to=by, now=turn.now, **house) for action, its in found]
    kept = [line for line in lines if WHICH[wanted](line)]
    facts = {"lines": kept[:MOST_SHOWN], "more": len(kept[MOST_SHOWN:]), "which": wanted}
    yield Note.private(by, "actions", title=incident.title if incident and wanted != "mine" else None, **facts)


def _of(turn: Turn, incident: Incident | None, by: UserId) -> list[tuple[Action, Incident]]:
    if incident is None:
        return actions.seen_by(turn.db, turn.team, by)
    return [(action, incident) for action in actions.of_incident(turn.db, incident.id)]


WHICH: Mapping[str, Callable[[Shown], bool]] = {
    "mine": lambda line: line.state.is_open,
    "open": lambda line: line.state.is_open,
    "overdue": lambda line: line.state.is_open and line.late > 0,
    "all": lambda _: True,
}


def _shown(held: Held) -> Note:
    answered = [number for number, _ in actions.answered(held.turn.db, held.action)]
    event = actions.event_behind(held.turn.db, held.action)
    return Note.private(held.by, "action", line=held.shown(), answers=answered, event=event)


def _moved(held: Held, step: str) -> Note:
    away = actions.unreachable(held.turn.db, held.turn.team, held.incident, held.action.owner or "")
    answered = [number for number, _ in actions.answered(held.turn.db, held.action)]
    facts = {"line": held.shown(), "step": step, "by": held.by, "unreachable": away, "soaks_until": held.soaks_until}
    return Note.private(held.by, "action_moved", answers=answered, **facts)


# The emoji that proposes ---------------------------------------------------------------------


def propose_from_reaction(turn: Turn, *, channel: str, ts: str) -> Notes:
    """What the emoji on a message ask for now: a proposal while somebody holds one, else its withdrawal."""
    message = messages.find(turn.db, turn.team, channel, ts)
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


def _holder(turn: Turn, incident: Incident, channel: str, ts: str) -> UserId | None:
    """The first person who holds a proposing emoji on it, is still here and may see the incident."""
    for reaction in actions.reactions_held(turn.db, turn.team, channel, ts):
        name = reaction.name.split("::")[0]
        away = actions.unreachable(turn.db, turn.team, incident, reaction.user_id)
        if turn.house.emoji.get(name) == "action" and not away:
            return UserId(reaction.user_id)
    return None


def _propose_words(turn: Turn, incident: Incident, message: Message, known: Action | None, holder: UserId) -> None:
    """The message's words, owned by who put the emoji there until somebody else is named."""
    words = short(message.plain or message.text, LONGEST_FROM_MESSAGE)
    if (known and not known.withdrawn_at) or message.deleted_at or not words:
        return
    term = follow_up.DEFAULT_HORIZON
    proposal = Proposal(
        text=words,
        owner=holder,
        due=follow_up.default_due(term, turn.now.astimezone(zone_of(turn, holder)).date()),
        horizon=term.value,
        channel_id=message.channel_id,
        ts=message.ts,
    )
    _put(turn, incident, known, proposal=proposal, by=holder).record(actions.BY_EMOJI, None, None)


def _withdraw(turn: Turn, action: Action, incident: Incident) -> None:
    """Only while it is a proposal, and only what an emoji began: a form's action needs a word to go."""
    if action.withdrawn_at or action.state != ActionState.proposed or not actions.came_by_emoji(turn.db, action):
        return
    action.withdrawn_at = turn.now
    by = UserId(action.proposed_by or "")
    Held(turn, action, incident, by).record("withdrawn", None, None)
