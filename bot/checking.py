"""Whether an action worked: what its owner says of it, some time after it was done."""

from bot.desk import Note, Notes, Turn
from bot.holding import Held, find, require_hand
from bot.review import follow_up
from bot.review.follow_up import CHECKED_AFTER, ActionState, Worked
from bot.review.incident import UserId
from bot.review.refusal import UnknownVerb


def answer(turn: Turn, *, by: UserId, number: int, words: str) -> Notes:
    """Keep what somebody says of an action that is done, by its owner or by who leads the review; works anywhere.

    Raises NoSuchAction, NotYours, AnotherStep and UnknownVerb.
    """
    held = find(turn, number, by)
    require_hand(held, "worked")
    said = _read(words, number)
    if held.action.state != ActionState.done:
        raise follow_up.another_step(ActionState(held.action.state), "worked", number=number)
    if held.action.worked != said:
        held.change("worked", said.value)
        held.action.worked_at = turn.now
    yield Note.private(by, "action_worked", line=held.shown(), asked_again=_is_asked_again(held))


def _read(words: str, number: int) -> Worked:
    word = words.strip().lower()
    if word not in set(Worked):
        raise UnknownVerb(verb=f"action {number} worked {word}".strip(), nearest=_possible(number))
    return Worked(word)


def _possible(number: int) -> tuple[str, ...]:
    return tuple(f"action {number} worked {word}" for word in Worked)


def _is_asked_again(held: Held) -> bool:
    """Whether it was too early to tell, and there is a check to come."""
    done = held.action.done_at
    if done is None or held.action.worked != Worked.unsure:
        return False
    return held.today < done.astimezone(held.zone).date() + CHECKED_AFTER[-1]
