"""The one door: every command, button, reaction, form and tick of the clock is served here."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Literal, Self

from sqlalchemy.orm import Session

from bot.render import Rendered, Renderer, mentioned, with_names
from bot.review.incident import ChannelId, Place, TeamId, UserId
from bot.review.meeting_time import DaysOff, DaysOffIn, WorkingHours, weekends_alone
from bot.review.naming import Naming
from bot.review.policy import DEFAULT, Asked, Depth, Policy
from bot.seals import Seal
from storage import busy, closed, crossed, gestures, letters, outbox, people, reviews, rounds, silence
from storage.letters import Letter
from storage.models import Incident
from storage.session import SomethingToDo, Storage

log = logging.getLogger("debrief.desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What this installation chose: the command's name, the working hours, the emoji, which names open an incident."""

    command: str = "/review"
    working_hours: WorkingHours = field(default_factory=lambda: WorkingHours.read("09:00-17:00"))
    emoji: Mapping[str, str] = field(default_factory=lambda: {"pushpin": "guess", "clipboard": "action"})
    """Emoji name to a kind of event, `guess` (kind guessed) or `action` (proposes an action)."""
    channel_pattern: str = "^inc-|^incident-"
    retention_days: int = 365
    actions: Literal["as_they_surface", "parked"] = "as_they_surface"
    """Whether a proposal is looked at when somebody makes it, or kept until the meeting comes to its actions."""
    report_names: Naming = Naming.names
    """What people are called in reports."""
    templates: Path | None = None
    """A folder whose `reports/` holds templates that come before ours."""
    days_off: DaysOffIn = weekends_alone
    """Weekends and holidays of people, by the name of their time zone."""
    calendars: Literal["on", "off"] = "off"
    """Whether it is read from calendars when people are busy."""
    policy: Policy = DEFAULT
    """Which incidents get which review, and who has a part in it."""
    letters_from: str = ""
    """The address in whose name letters go; empty where there is no mail server, and then nobody gets any."""
    meeting_link: str = ""
    """Where meetings are held besides Slack; `{incident}` in it stands for the number of the incident."""
    seal: Seal | None = None
    """What private answers are closed with; None where no key is at hand, and then nobody is asked for any."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of work: a session, and the moment it happens in; for one workspace, in one house."""

    db: Session
    now: datetime
    team: TeamId
    house: House

    def days_off(self, zone: str) -> DaysOff:
        """When people in the time zone of this name do not work."""
        return self.house.days_off(zone, self.now.date())

    def asked_of(self, incident: Incident) -> Asked:
        """What the policy asks of this incident's review; how much of one a person chose for it comes first."""
        return self.asked_of_each([incident])[incident.id]

    def asked_of_each(self, every: Collection[Incident]) -> Mapping[int, Asked]:
        """The same for each of these incidents, by number, asked of all at once."""
        found = reviews.of_each(self.db, [incident.id for incident in every]) if every else {}
        asked = {incident.id: self.house.policy.asked_for(incident.severity) for incident in every}
        chosen = {number: found[number].depth for number in asked}
        return {number: replace(one, depth=Depth(chosen[number] or one.depth)) for number, one in asked.items()}

    def awaits_calendars(self, users: Collection[str], *, since: datetime) -> bool:
        """Whether an hour waits some minutes more, because somebody's calendar was not read since that moment."""
        read = self.house.calendars == "on"
        return read and busy.is_awaited(self.db, self.team, users, since=since, now=self.now)

    def may_tell(self, user: str, incident: Incident | None = None) -> bool:
        """Whether somebody may be written to unasked now, of this incident or of none in particular (DOMAIN §6b)."""
        hours, days_off = self.house.working_hours, self.house.days_off
        return silence.may_be_told(self.db, self.team, user, incident, now=self.now, hours=hours, days_off=days_off)

    def who_may_be_told(self, users: Collection[str | None]) -> frozenset[str]:
        """Those of these people to whom `may_tell` would say yes of an incident they see, asked of all at once."""
        hours, days_off, named = self.house.working_hours, self.house.days_off, {user for user in users if user}
        return silence.who_may_be_told(self.db, self.team, named, now=self.now, hours=hours, days_off=days_off)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to say; its key is a pure function of the intent, never of now."""

    kind: Literal["once", "live", "private", "aside", "picture", "letter"]
    template: str
    facts: Mapping[str, Any]
    key: str = ""
    place: Place | None = None
    user: UserId | None = None
    incident: int | None = None
    enclosed: Mapping[str, Any] | None = None
    """Of a letter: what goes with it, and until when it is worth sending."""

    @classmethod
    def once(cls, key: str, template: str, to: Place | UserId, /, **facts: Any) -> Self:
        """Said once: in a place, or to a person by direct message."""
        return cls(kind="once", key=key, template=template, place=_as_place(to), facts=facts)

    @classmethod
    def live(cls, key: str, template: str, to: Place | UserId, /, **facts: Any) -> Self:
        """Posted once and then updated; the newest wins."""
        return cls(kind="live", key=key, template=template, place=_as_place(to), facts=facts)

    @classmethod
    def aside(cls, key: str, template: str, to: Place, user: UserId, /, **facts: Any) -> Self:
        """Said once, in a place, for one person's eyes; unasked, so it must concern that person alone."""
        return cls(kind="aside", key=key, template=template, place=to, user=user, facts=facts)

    @classmethod
    def picture(cls, key: str, template: str, to: Place, incident: int, /, **facts: Any) -> Self:
        """The timeline of an incident as a picture; these are the words above it. It is drawn when it is posted."""
        return cls(kind="picture", key=key, template=template, place=to, incident=incident, facts=facts)

    @classmethod
    def file(cls, key: str, template: str, to: Place, /, **facts: Any) -> Self:
        """A file of no incident in particular; these are the words above it. It is made when it is posted."""
        return cls(kind="picture", key=key, template=template, place=to, facts=facts)

    @classmethod
    def letter(cls, key: str, template: str, to: UserId, enclosed: Mapping[str, Any], /, **facts: Any) -> Self:
        """By e-mail, to one person; of a key only the newest version is sent. Its first line is its subject."""
        return cls(kind="letter", key=key, template=template, user=to, enclosed=enclosed, facts=facts)

    @classmethod
    def private(cls, user: UserId, template: str, /, **facts: Any) -> Self:
        """Whispered: the answer to a gesture, seen by one person."""
        return cls(kind="private", template=template, user=user, facts=facts)


def _as_place(to: Place | UserId) -> Place:
    return to if isinstance(to, Place) else Place(ChannelId(to))


Notes = Iterable[Note]


@dataclass(frozen=True, slots=True)
class Whisper:
    """Where an answer goes that no open request can carry: whispered in this place, under this key."""

    place: Place
    key: str


class Replayed(Exception):
    """A signed request that was served before."""


class Desk:
    """Serves abilities and answers questions, each in one transaction of its own."""

    def __init__(
        self,
        storage: Storage,
        renderer: Renderer,
        *,
        team: TeamId,
        house: House,
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.storage = storage
        self.renderer = renderer
        self.team = team
        self.house = house
        self.now = now
        self.wake = wake

    def serve(
        self,
        ability: Callable[..., Notes | None],
        *,
        by: UserId | None = None,
        mark: str | None = None,
        **what: Any,
    ) -> Rendered | None:
        """Run an ability as one turn.

        1. Remember the gesture's `mark`; one that was served before raises Replayed.
        2. Run the ability, with `by` where somebody did it, and render its notes: a broken template undoes the change.
        3. Write the notes to the outbox, commit, wake the courier.

        The private notes come back as the answer to `by`; one for anybody else raises ValueError.
        """
        notes, answer = crossed.run_again(lambda: self._served(ability, by, mark, what))
        if by or notes:
            log.info("served", extra={"ability": ability.__name__, "notes": len(notes)})
            self.wake()
        return answer

    def _served(
        self, ability: Callable[..., Notes | None], by: UserId | None, mark: str | None, what: Mapping[str, Any]
    ) -> tuple[list[Note], Rendered | None]:
        with self.storage.write() as db:
            crossed.go_alone(db, self.team)
            turn = Turn(db, self.now(), self.team, self.house)
            if mark and not gestures.remember(db, turn.team, mark, at=turn.now):
                raise Replayed
            notes = list(ability(turn, **({"by": by} if by else {}), **what) or ())
            answer = self._write_down(turn, notes, by)
            if by is None:
                _keep_back(turn, notes)
        return notes, answer

    def serve_if_due(self, ability: Callable[[Turn], Notes | None]) -> None:
        """Serve an ability that asks what is due; where nothing is, it takes no write lock from the keeper.

        It is tried first with a session that cannot write: what it would change or say is the reason to serve it. Of
        several programs that share a database one serves at a time, so that each sees what the others said.
        """
        if self._is_due(ability):
            self.serve(self._in_its_round(ability))

    def _is_due(self, ability: Callable[[Turn], Notes | None]) -> bool:
        try:
            with self.storage.peek() as db:
                return bool(list(ability(Turn(db, self.now(), self.team, self.house)) or ()))
        except SomethingToDo:
            return True

    def serve_each(
        self, question: Callable[..., Iterable[Mapping[str, Any]]], *abilities: Callable[..., Notes]
    ) -> None:
        """Serve abilities for each thing that a question finds, in turns of its own: one that fails stops no other.

        As with `serve_if_due`, one program serves at a time; what another one serves meanwhile is asked anew.
        """
        for what in self.look(question):
            try:
                for ability in abilities:
                    self.serve(self._in_its_round(ability), **what)
            except Exception:
                log.exception("could not serve one of several", extra={"question": question.__name__, **what})

    def _in_its_round(self, ability: Callable[..., Notes | None]) -> Callable[..., Notes | None]:
        @wraps(ability)
        def served(turn: Turn, **what: Any) -> Notes | None:
            return ability(turn, **what) if rounds.is_ours(turn.db, turn.team) else None

        return served

    def whisper(self, said: Rendered, by: UserId, whisper: Whisper) -> None:
        """Whisper something to one person that no ability said: a refusal, an apology."""
        with self.storage.write() as db:
            _whisper(Turn(db, self.now(), self.team, self.house), said, by, whisper)
        self.wake()

    def look(self, question: Callable[..., Any], **what: Any) -> Any:
        """Answer a question; change nothing."""
        with self.storage.read() as db:
            return question(Turn(db, self.now(), self.team, self.house), **what)

    def _write_down(self, turn: Turn, notes: list[Note], by: UserId | None) -> Rendered | None:
        answers: list[Rendered] = []
        for note in notes:
            if note.kind == "letter":
                self._write_letter(turn, note)
                continue
            rendered = self._named(turn, self.renderer.render(note.template, note.facts))
            if note.kind != "private":
                _write(turn, note, rendered)
            elif note.user == by:
                answers.append(rendered)
            else:
                raise ValueError(f"the note {note.template} answers somebody who did not ask")
        return Rendered.joined(answers) if answers else None

    def _write_letter(self, turn: Turn, note: Note) -> None:
        """The words are those of now; where it goes is looked up when it goes."""
        subject, text = self.renderer.letter(note.template, note.facts)
        enclosed = {"subject": subject, **(note.enclosed or {})}
        user, until = note.user or "", datetime.fromisoformat(enclosed["until"])
        letter = Letter(key=note.key, user=user, text=text, enclosed=enclosed, at=turn.now, until=until)
        letters.write(turn.db, turn.team, letter)

    def _named(self, turn: Turn, rendered: Rendered) -> Rendered:
        users = mentioned(rendered)
        return with_names(rendered, people.names(turn.db, turn.team, users)) if users else rendered


def _keep_back(turn: Turn, notes: list[Note]) -> None:
    """What nobody asked for is not tried where it is known to be refused; what somebody does there is."""
    for note in notes:
        why = closed.why(turn.db, turn.team, note.place.channel) if note.place and note.kind != "aside" else None
        if why:
            closed.keep_back(turn.db, turn.team, note.key, why)


WRITTEN = {"once": outbox.say_once, "live": outbox.say_live, "aside": outbox.whisper, "picture": outbox.show}


def _write(turn: Turn, note: Note, rendered: Rendered) -> None:
    if note.place is None or not note.key:
        message = f"the note {note.template} has no place or no key"
        raise ValueError(message)
    write = WRITTEN[note.kind]
    words = outbox.Words(
        key=note.key,
        channel=note.place.channel,
        thread=note.place.thread,
        user=note.user,
        text=rendered.text,
        blocks=rendered.blocks,
        incident=note.incident,
        at=turn.now,
    )
    write(turn.db, turn.team, words)


def _whisper(turn: Turn, answer: Rendered, user: UserId, whisper: Whisper) -> None:
    words = outbox.Words(
        key=f"whisper:{whisper.key}",
        channel=whisper.place.channel,
        thread=whisper.place.thread,
        user=user,
        text=answer.text,
        blocks=answer.blocks,
        at=turn.now,
    )
    outbox.whisper(turn.db, turn.team, words)
