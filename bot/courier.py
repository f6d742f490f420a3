"""Delivers the outbox to Slack: what is said next, and what became of it.

1. A note is claimed, and held against all other programs of this database, before anything is said.
2. Right before Slack is called it must still be ours.
3. A sure yes and a sure no are written down. What is not known is never simply tried again: after a grace period,
   when nobody holds the note, it is looked up in Slack.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot import looking_up, outcomes
from bot.claims import LETTERS_AT_ONCE, Claims, NotOurs
from bot.drawing import NotDrawn
from bot.gallery import Gallery
from bot.looking_up import Found
from bot.mailing import NO_ADDRESS, Mail
from bot.measures import Tell, nobody
from bot.outcomes import RETRY_S, Outcome
from bot.pacing import A_SECOND
from bot.posting import Parcel, Post, Said
from bot.sheets import Sheets
from storage.health import trouble

log = logging.getLogger("debrief.courier")

LOOK_AGAIN_S = 2.0
"""Seconds between rounds when nobody wakes the courier."""
A_BREATH_S = 0.005
"""So that the moment for which it rests has come."""
NAP_S, LONGEST_NAP_S = 0.5, 5.0
"""Seconds until the next round after one that failed, doubled with each that fails, too."""
MOST_TRIES = 10
"""How often the upload of a picture is tried, whose summary was said long before; and a letter of which nobody knows
whether it arrived, for whoever has it would get it for days."""
MOST_ODD_WORDS = 5
"""How often in a row Slack may refuse a note with a word that its reference does not know."""
LOOK_BACK = timedelta(minutes=5)
"""How much earlier than the attempt a look-up begins: our clock and Slack's may differ."""
NOT_THERE = "message_not_found"
"""Slack answers this where it knows nothing of the message."""
NOT_HEARD_THERE = {"channel_not_found", "is_archived", "not_in_channel", "user_not_in_channel"}
"""Slack answers these where a whisper cannot reach somebody in the place they asked from."""


class Courier:
    """Takes notes from the outbox, in order per channel, and says each of them once."""

    def __init__(
        self,
        claims: Claims,
        sheets: Sheets,
        client: AsyncWebClient,
        *,
        mail: Mail | None = None,
        tell: Tell = nobody,
    ) -> None:
        """`client` tries nothing again by itself; letters wait where there is no `mail`; `tell` hears what became of
        each note.
        """
        self._claims = claims
        self._client = client
        self._tell = tell
        self._post = Post(
            client=client,
            gallery=Gallery(client),
            ready=self._ready,
            drawn=lambda parcel: asyncio.to_thread(sheets.of, parcel.key, parcel.incident, reader=parcel.channel),
            mark_files=lambda parcel, hung: asyncio.to_thread(claims.mark_files, parcel, hung),
            mail=mail,
        )
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._letters: set[int] = set()
        self._odd_words = Counter[int]()

    def wake(self) -> None:
        """Something was written down; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopped.set()
        self.wake()

    async def run(self) -> None:
        """Deliver until stopped, then finish what is under way; a failing round is logged and another one follows."""
        failed = 0
        while not self._stopped.is_set():
            self._woken.clear()
            rest_s = await self._try_round()
            failed = failed + 1 if rest_s is None else 0
            # Where the database fails, what wakes us does not mend it.
            awaited, seconds = (self._stopped, _nap(failed)) if rest_s is None else (self._woken, rest_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(awaited.wait(), seconds)
        await self.settle()

    async def _try_round(self) -> float | None:
        """Seconds until the next; None where this one failed."""
        try:
            await self.round()
            return await self._rest_s()
        except SQLAlchemyError as error:
            log.warning("nothing can be said for now", extra={"why": trouble(error) or type(error).__name__})
        except Exception:
            log.exception("a round of the courier failed")
        return None

    async def _rest_s(self) -> float:
        """Until there is room again, where that is sooner than we would look."""
        left_s = await asyncio.to_thread(self._claims.seconds_left)
        return LOOK_AGAIN_S if left_s is None else min(LOOK_AGAIN_S, left_s + A_BREATH_S)

    async def round(self) -> int:
        """Begin to look up what is uncertain and to say what is due; how many notes were taken up."""
        # What is under way when the database is asked may be settled, and not put down yet, when it answers.
        uncertain = await asyncio.to_thread(self._claims.take_uncertain, frozenset(self._under_way))
        for parcel in uncertain:
            self._begin(parcel, self._look_up)
        due = await asyncio.to_thread(self._claims.take_due, frozenset(self._under_way))
        sent = await self._take_letters()
        for parcel in (*due, *sent):
            self._begin(parcel, self._deliver)
        return len(uncertain) + len(due) + len(sent)

    async def _take_letters(self) -> list[Parcel]:
        """So few at a time that they keep nothing in Slack waiting."""
        self._letters &= self._under_way.keys()
        if self._post.mail is None:
            return []
        room = LETTERS_AT_ONCE - len(self._letters)
        taken = await asyncio.to_thread(self._claims.take_letters, frozenset(self._under_way), room)
        self._letters |= {parcel.id for parcel in taken}
        return taken

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._under_way.values())

    def _begin(self, parcel: Parcel, work: Callable[[Parcel], Coroutine[Any, Any, None]]) -> None:
        """Every note goes its own way, so that a slow channel keeps no other waiting."""
        self._under_way[parcel.id] = asyncio.create_task(self._carry(parcel, work))

    async def _carry(self, parcel: Parcel, work: Callable[[Parcel], Coroutine[Any, Any, None]]) -> None:
        """What is left unsaid and unknown here, for whatever reason, is looked up by whoever comes next."""
        try:
            await work(parcel)
        except NotOurs:
            log.warning("was not ours any more", extra={"note": parcel.id})
        except SQLAlchemyError as error:
            why = trouble(error) or type(error).__name__
            log.warning("what became of a note could not be written down", extra={"note": parcel.id, "why": why})
        except Exception:
            log.exception("a note could not be carried", extra={"note": parcel.id})
        finally:
            await self._put_down(parcel)

    async def _put_down(self, parcel: Parcel) -> None:
        try:
            await asyncio.to_thread(self._claims.release, parcel)
        finally:
            # The next note of this channel may be due now.
            del self._under_way[parcel.id]
            self._woken.set()

    # Delivering ---------------------------------------------------------------------

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            said = await self._post.carry(parcel)
        except NotOurs:
            await self._not_sent(parcel)
        except NotDrawn:
            await self._dead(parcel, "not_drawn")
        except outcomes.FAILURES as failure:
            await self._failed(parcel, outcomes.of(failure))
        else:
            await self._said(parcel, said)

    async def _ready(self, parcel: Parcel) -> None:
        """Right before Slack is called; raises NotOurs."""
        if not await asyncio.to_thread(self._claims.is_ours, parcel):
            raise NotOurs

    async def _failed(self, parcel: Parcel, outcome: Outcome) -> None:
        match outcome.kind:
            case "later":
                self._tell("put_off")
                await asyncio.to_thread(self._claims.mark_later, parcel, outcome.wait, outcome.word)
            case "already":
                await self._said(parcel, Said(parcel.channel))
            case "never" if parcel.kind == "whisper" and parcel.user and outcome.word in NOT_HEARD_THERE:
                await self._deliver(replace(parcel, kind="once", channel=parcel.user, thread=""))
            case "never" if outcome.word == NOT_THERE and await self._is_lost(parcel):
                log.warning("lost by Slack, said once more", extra={"note": parcel.id})
            case "never":
                await self._dead(parcel, outcome.word)
            case "unheard_of":
                await self._refused_oddly(parcel, outcome.word)
            case "unknown" if parcel.kind == "letter" and parcel.tries >= MOST_TRIES:
                await self._dead(parcel, outcome.word)
            case "unknown":
                await self._unknown(parcel, outcome.word, outcome.wait or None)

    async def _is_lost(self, parcel: Parcel) -> bool:
        """Whether Slack lost what was to be updated, and it is due again; what a person deleted is not."""
        if parcel.posted is None:
            return False
        return await asyncio.to_thread(self._claims.replace_lost, parcel, parcel.posted[1])

    async def _refused_oddly(self, parcel: Parcel, word: str) -> None:
        """Slack may have done it nevertheless, so it is looked up; what cannot be and what goes on is given up."""
        self._odd_words[parcel.id] += 1
        if parcel.kind == "whisper" or self._odd_words[parcel.id] > MOST_ODD_WORDS:
            await self._dead(parcel, word)
        else:
            await self._unknown(parcel, word)

    async def _not_sent(self, parcel: Parcel) -> None:
        """Surely not from here; where nobody else has taken it up meanwhile, it is due again."""
        log.warning("was not ours any more", extra={"note": parcel.id})
        await asyncio.to_thread(self._claims.mark_later, parcel, A_SECOND, "not_ours")

    async def _unknown(self, parcel: Parcel, why: str, wait: timedelta | None = None) -> None:
        """Slack may have taken it: after the grace period it is looked up, and never said again blindly.

        A letter, which nobody can look up, goes again as it was.
        """
        log.warning("not known whether it was said", extra={"note": parcel.id, "error": why})
        self._tell("unknown")
        await asyncio.to_thread(self._claims.mark_uncertain, parcel, wait)

    async def _said(self, parcel: Parcel, said: Said) -> None:
        self._odd_words.pop(parcel.id, None)
        await asyncio.to_thread(self._claims.mark_sent, parcel, said)
        self._tell("said")
        log.info("said", extra={"note": parcel.id, "kind": parcel.kind})

    async def _dead(self, parcel: Parcel, word: str) -> None:
        self._odd_words.pop(parcel.id, None)
        self._tell("refused")
        facts = {"note": parcel.id, "kind": parcel.kind, "error": word}
        if word == NO_ADDRESS:
            log.warning("a letter has no address to go to", extra=facts)
        else:
            log.error("refused by %s", "the mail server" if parcel.kind == "letter" else "Slack", extra=facts)
        await asyncio.to_thread(self._claims.mark_dead, parcel, word)

    # Looking up ------------------------------------------------------------------------

    async def _look_up(self, parcel: Parcel) -> None:
        """Find out whether an uncertain note was said: found by its mark, or it may be said again."""
        if parcel.kind == "whisper":
            # Nobody can look up a whisper; saying it twice is worse than once too few.
            await self._said(parcel, Said(parcel.channel))
        elif parcel.kind == "mark" or parcel.posted or (parcel.kind == "picture" and not parcel.files):
            # Done again it has the same effect.
            await self._found(parcel, None)
        else:
            await self._find(parcel)

    async def _find(self, parcel: Parcel) -> None:
        try:
            found = await self._search(parcel)
        except outcomes.FAILURES as failure:
            await self._not_found_out(parcel, outcomes.of(failure))
        else:
            await self._found(parcel, found)

    async def _found(self, parcel: Parcel, found: Found | None) -> None:
        self._tell("found" if found else "not_found")
        if found is None and parcel.kind == "picture" and parcel.attempt >= MOST_TRIES:
            await self._dead(parcel, "not_uploaded")
        elif found is None:
            await asyncio.to_thread(self._claims.mark_later, parcel, timedelta(), "unknown")
        else:
            shown = [replace(hung, shown=True) for hung in parcel.files]
            await asyncio.to_thread(self._claims.mark_files, parcel, shown)
            # Which version was taken is not known: where there are several the newest is said once more, in its place.
            said = Said(found.channel, found.ts)
            await self._said(replace(parcel, version=0) if parcel.version > 1 else parcel, said)

    async def _not_found_out(self, parcel: Parcel, outcome: Outcome) -> None:
        if outcome.kind == "never":
            # We may not look there any more, so it stays unknown for ever, and the channel must not wait for it.
            await self._dead(parcel, outcome.word)
        else:
            log.warning("could not look it up yet", extra={"note": parcel.id, "error": outcome.word})
            wait = outcome.wait or timedelta(seconds=RETRY_S)
            await asyncio.to_thread(self._claims.mark_uncertain, parcel, wait)

    async def _search(self, parcel: Parcel) -> Found | None:
        channel = await looking_up.conversation(self._client, parcel.channel)
        since = f"{(parcel.attempted_at - LOOK_BACK).timestamp():.6f}"
        files = [hung.file for hung in parcel.files]
        words = parcel.text if parcel.is_doubted and parcel.kind == "once" else None
        return await looking_up.find(
            self._client, channel, thread=parcel.thread, oldest=since, marks=[parcel.mark], files=files, words=words
        )


def _nap(failed: int) -> float:
    """Seconds, after so many rounds that failed in a row."""
    return min(NAP_S * 2 ** (failed - 1), LONGEST_NAP_S)
