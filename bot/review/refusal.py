"""Saying no with a sentence: what is in the way, and what the person can do next."""

# ruff: noqa: D404 - these docstrings are read by people, and "This is the last topic." is what one says.

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

LONGEST = 200
"""Characters of a fact in a sentence."""


def as_said(text: str) -> str:
    """The text as it was typed: what `sentence` does to facts unless the edge asks for escaping."""
    return text


class Refused(Exception):
    """I cannot do that here. `{command} help` lists what I can do."""

    field: ClassVar[str] = ""
    """The field of a form beside which it is said; empty: whichever the form names."""

    @property
    def facts(self) -> Mapping[str, object]:
        """The facts the sentence is built from, raw: whoever shows them escapes them."""
        return {name: getattr(self, name) for name in getattr(self, "__dataclass_fields__", ())}

    def sentence(self, command: str = "/review", *, escape: Callable[[str], str] = as_said) -> str:
        """What the person reads; `escape` is applied to each fact and never to our own words."""
        facts = {name: _in_words(fact, escape) for name, fact in self.facts.items()}
        return self.template().format(command=command, **facts)

    def template(self) -> str:
        """The docstring on one line, with its `{places}`."""
        return " ".join(inspect.cleandoc(self.__doc__ or "").split())

    def __str__(self) -> str:
        return self.sentence()


def _in_words(fact: object, escape: Callable[[str], str]) -> str:
    if isinstance(fact, tuple):
        choices: tuple[object, ...] = fact  # pyright: ignore[reportUnknownVariableType]
        return choice([f"`{escape(str(word))}`" for word in choices])
    return escape(shortened(str(fact)))


def shortened(text: str) -> str:
    """So much of what somebody typed as is needed to know it again."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def choice(words: list[str]) -> str:
    """`a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# The incident and who may see it. A private incident answers outsiders exactly like a missing one.


class NoIncidentHere(Refused):
    """I follow no incident here that you can see. `{command} open` starts one, and `{command}` alone shows the reviews
    you are part of.
    """


@dataclass(eq=False)
class NotInChannel(Refused):
    """I am not in <#{channel}> yet. Invite me there with `/invite`, then try again."""

    channel: str = ""

    def template(self) -> str:
        """A direct conversation has no name to show."""
        is_named = self.channel.startswith(("C", "G"))
        return super().template() if is_named else super().template().replace("<#{channel}>", "this channel")


@dataclass(eq=False)
class AlreadyTracked(Refused):
    """I already follow “{title}” here. `{command}` shows where it stands."""

    title: str


class ReviewClosed(Refused):
    """This review is closed. If it broke again, `{command} reopen` brings it back; its actions live on in
    `{command} actions`.
    """


class CannotSeeIt(Refused):
    """They cannot see this incident, because they are not in its channel. Invite them there first, then try again."""


@dataclass(eq=False)
class PlaceStaysPrivate(Refused):
    """<#{channel}> is private, and not everybody who sees this incident is in it, so what is said there stays there.
    Type `{command} open` there to follow an incident of its own.
    """

    channel: str


class ChannelStillPrivate(Refused):
    """Slack calls this channel private, so what was said in it stays private. Make the channel public in Slack first,
    then try again.
    """


class NotItsChannel(Refused):
    """I do not follow this incident in this channel. Type it in the channel that became public."""


class NotForGuests(Refused):
    """That is for people of this workspace who are in the channel. Ask one of them to do it."""


class AlreadyIncluded(Refused):
    """I read there already for this incident. `{command}` shows where it stands."""


class NeedsPlace(Refused):
    """Which place? `{command} include #channel` names a channel; for a thread, copy its link and type
    `{command} include LINK`. `from:24h`, `from:7d` or `from:all` behind it says from when.
    """


class PrivateStaysPrivate(Refused):
    """This incident is private, and that channel has readers who are not part of it. Publish to a channel where
    everybody is, or invite those readers to the incident first.
    """


# Words that could not be read.


@dataclass(eq=False)
class UnknownVerb(Refused):
    """I do not know “{verb}”. Did you mean {nearest}? `{command} help` lists everything. Nothing was changed."""

    verb: str
    nearest: tuple[str, ...] = ()

    def template(self) -> str:
        """Without a near verb only the help is offered."""
        return super().template() if self.nearest else super().template().replace(" Did you mean {nearest}?", "")


@dataclass(eq=False)
class UnreadableTime(Refused):
    """I could not read “{words}” as a time. I understand `14:05`, `2026-11-20 14:05`, `yesterday 14:05`, `mon 14:05`
    and `10 min ago`, read in your own time zone.
    """

    words: str


@dataclass(eq=False)
class UnreadableDay(Refused):
    """I could not read “{words}” as a day. I understand `2026-12-01`, `friday`, `10 days` and `2 weeks`."""

    words: str


@dataclass(eq=False)
class UnreadableHours(Refused):
    """I could not read “{words}” as working hours. They look like `09:00-17:00`."""

    words: str


@dataclass(eq=False)
class InThePast(Refused):
    """“{words}” has already passed. Name a time still to come, such as `mon 14:00` or `2026-11-20 14:00`."""

    words: str


@dataclass(eq=False)
class TooFarAhead(Refused):
    """“{words}” is more than a year ahead. Name an earlier hour, such as `mon 14:00` or `2026-11-20 14:00`."""

    words: str


@dataclass(eq=False)
class DayInThePast(Refused):
    """“{words}” has already passed. Name a day still to come, such as `friday`, `2 weeks` or `2026-12-01`."""

    words: str


@dataclass(eq=False)
class InTheFuture(Refused):
    """“{words}” is still to come. Name a time that has passed, such as `14:05` or `yesterday 14:05`."""

    words: str


@dataclass(eq=False)
class UnknownKind(Refused):
    """“{words}” is not a kind of event. Choose {kinds}."""

    words: str
    kinds: tuple[str, ...]

    def template(self) -> str:
        """With nothing typed, nothing is called wrong."""
        return super().template() if self.words else "Which kind of event is it? Choose {kinds}."


@dataclass(eq=False)
class UnknownOutcome(Refused):
    """“{words}” is not something an event can have led to. Choose `helped`, `no effect`, `worse` or `unknown`."""

    words: str
    verb: str

    def template(self) -> str:
        """With nothing typed, nothing is called wrong."""
        asked = (
            "What did it lead to? `{command} {verb} helped` says so; the others are `no effect`, `worse`, `unknown`."
        )
        return super().template() if self.words else asked


class UnknownPriority(Refused):
    """Priority is `high`, `medium` or `low`."""


@dataclass(eq=False)
class UnknownSeverity(Refused):
    """“{words}” is not a severity. Choose `sev1`, `sev2`, `sev3` or `sev4`; `sev1` is the most severe."""

    words: str

    def template(self) -> str:
        """With nothing typed, nothing is called wrong."""
        asked = "How bad is it? Choose `sev1`, `sev2`, `sev3` or `sev4`; `sev1` is the most severe."
        return super().template() if self.words else asked


class NothingAnswered(Refused):
    """Say at least who felt it, what became of data, or whether anybody saw what they should not; more is up to you."""


@dataclass(eq=False)
class UnknownStart(Refused):
    """I cannot read along from “{words}”. After `from:` I understand {starts}; without it I ask you."""

    words: str
    starts: tuple[str, ...]


@dataclass(eq=False)
class UnknownChannel(Refused):
    """“{words}” is not a channel I recognise. Type `#` and pick one that Slack offers: `{command} publish #general`."""

    words: str


@dataclass(eq=False)
class UnknownFormat(Refused):
    """I do not know “{words}” as a format. The report comes as `html`, `pdf`, `md` or `json`, its actions as `csv`."""

    words: str


@dataclass(eq=False)
class EditedMeanwhile(Refused):
    """Somebody else has changed {what} meanwhile, so I have left everything as it is. Open the form again to see it."""

    what: str


@dataclass(eq=False)
class CannotTakeIn(Refused):
    """Nothing was changed, for there is something that I cannot take in:

    {lines}

    Texts can be changed where they stand behind their number. The rest follows from them, or has a verb of its own.
    """

    lines: str


@dataclass(eq=False)
class NeedsText(Refused):
    """What should it say? Write it after the verb: `{command} {verb} {example}`."""

    verb: str
    example: str


@dataclass(eq=False)
class NeedsTime(Refused):
    """When? Write it after the verb: `{command} {verb} 14:05`. The time is read in your own time zone."""

    verb: str


@dataclass(eq=False)
class NeedsDay(Refused):
    """Which day? Write it after the verb: `{command} {verb} friday`, or `2 weeks`, or `2026-12-01`."""

    verb: str


@dataclass(eq=False)
class UnreadableHour(Refused):
    """I could not read “{words}” as an hour, so nothing was changed. I understand `mon 14:00 because REASON` and
    `2026-11-20 14:00`, in your own time zone. `{command} schedule light` and `{command} schedule async` need no
    meeting; `{command} postpone off REASON` calls one off.
    """

    words: str


class NeedsHour(Refused):
    """To which hour, and why? `{command} postpone mon 14:00 REASON` moves the meeting, in your own time zone."""


@dataclass(eq=False)
class NeedsReason(Refused):
    """A short reason helps everybody who reads this later, and without one nothing was changed:
    `{command} {verb} REASON`.
    """

    verb: str


@dataclass(eq=False)
class NeedsPerson(Refused):
    """Whom do you mean? Mention them after the verb: `{command} {verb} @name`."""

    verb: str


@dataclass(eq=False)
class NeedsNumber(Refused):
    """Which one? Write its number after the verb: `{command} {verb} 3`."""

    verb: str


class NeedsMinutes(Refused):
    """How many minutes? `{command} extend 5` gives this topic five more."""


class NeedsOwner(Refused):
    """An action needs one owner: `{command} action @name write the runbook for a full disk`. The owner can be you."""


# Things that are not there.


@dataclass(eq=False)
class NoSuchEvent(Refused):
    """There is no event {number} on this timeline. `{command} timeline` shows the numbers."""

    number: int | str


@dataclass(eq=False)
class NoSuchAction(Refused):
    """I find no action {number} that you can see. `{command} actions all` shows the numbers."""

    number: int | str


@dataclass(eq=False)
class UnknownWay(Refused):
    """I do not know “{words}” as a way to review. `{command} schedule light` leads you through it alone,
    `{command} schedule async` asks in threads, and `{command} schedule` proposes an hour for a meeting.
    """

    words: str


@dataclass(eq=False)
class UnknownPolicyWords(Refused):
    """I do not know “{words}” here. `{command} policy` says what this incident asks for, and `{command} policy all` why
    as well.
    """

    words: str


@dataclass(eq=False)
class NotAsked(Refused):
    """You were not asked for that here. `{command} {verb} @name` names anybody, you too."""

    verb: str


@dataclass(eq=False)
class UnknownFindingStep(Refused):
    """I cannot do {step} with a finding.

    `{command} finding {number}` shows it, and edit, kind, sort, of, merge, drop and back change it.
    """

    step: str
    number: int


@dataclass(eq=False)
class NoSuchFinding(Refused):
    """There is no finding {number} in this review. `{command} report` shows what was noted."""

    number: int | str


@dataclass(eq=False)
class NoSuchTopic(Refused):
    """“{words}” is not on this agenda. `{command} go` takes {topics}, or the topic's number."""

    words: str
    topics: tuple[str, ...]


@dataclass(eq=False)
class NotOneOfUs(Refused):
    """I cannot ask anything of <@{user}>: it has to be a person of this workspace. Mention somebody else."""

    user: str


# Not yours, or not now.


@dataclass(eq=False)
class NotYours(Refused):
    """`{command} {verb}` is for {who}. You may take over in the open with `{command} {role} @you`, where `@you` is
    your own name.
    """

    who: str
    verb: str
    role: str = "facilitator"


class NotMitigated(Refused):
    """The incident is not marked as mitigated yet, and the meeting is planned from that moment. When the impact is
    over, `{command} mitigated` says so; `{command} mitigated 14:05` says when.
    """


class NothingScheduled(Refused):
    """No meeting is planned yet. `{command} schedule` proposes an hour; `{command} schedule mon 14:00` sets one."""


class NoneToComeTo(Refused):
    """No meeting is planned now, so nothing is asked of you. If there is a new hour, you hear of it here."""


@dataclass(eq=False)
class HeldTooSoon(Refused):
    """At {words} it was not over yet, and a review looks back. `{command} held 14:00` names another hour; where it was
    over sooner, `{command} mitigated 13:05` says so.
    """

    words: str


class MetWithMe(Refused):
    """The meeting has ended, and I was there, so there is nothing to mark. If there was another one after it,
    `{command} held 14:00` names its hour.
    """


class AlreadyInMeeting(Refused):
    """The meeting is already open. `{command} next` moves it on, `{command}` shows where it stands."""


class NotInMeeting(Refused):
    """No meeting is open here. `{command} start` opens it."""


class NotSealedHere(Refused):
    """Nobody is asked for a private answer here: its answers were opened already, or this review asks for none."""


class NotAskedInPrivate(Refused):
    """This review needs no meeting, so nobody is asked anything in private. What surprised you is as welcome in the
    open: `{command} learning …` keeps it.
    """


class CoreOnly(Refused):
    """This question goes to those who are asked to come. What you remember is as welcome: type it after
    `{command} event 14:05`.
    """


class AnsweredAlready(Refused):
    """You have answered already. Every answer stays as it was given: of those without a name nobody can tell whose
    they are, so none can be changed. Yours is kept.
    """


class MeansToReveal(Refused):
    """Did you mean `{command} reveal`, which opens the answers in the meeting? I have kept nothing as your answer."""


class SealIsGone(Refused):
    """The private answers cannot be opened: their key is not here. They are kept. Whoever runs this bot can mend it:
    `DEBRIEF_SEAL_KEY`, or the file `seal.key`, is not the one it was.
    """


@dataclass(eq=False)
class TooLong(Refused):
    """That is too long for {what}: it takes {most} characters. Nothing was kept; shorten it and send it again."""

    what: str
    most: int


class RoomOnly(Refused):
    """How the meeting was is asked of the people in its channel alone. Join the channel, then tap again."""


class PulseSettled(Refused):
    """How the meeting was is counted already. No further tap is taken: the difference would tell whose it is."""


class PulseUnknown(Refused):
    """You can tap `learned`, `again`, `safe` or `nothing`; `{command} pulse` shows them. Nothing was counted."""


class AnotherMeetingHere(Refused):
    """Another review's meeting is open in this place. End that one first, or meet in a thread or another channel."""


class LastTopic(Refused):
    """This is the last topic. `{command} end` closes the meeting, `{command} back` returns to the topic before."""


class FirstTopic(Refused):
    """This is the first topic, there is nothing to go back to. `{command} next` moves on."""


@dataclass(eq=False)
class TooFewMinutes(Refused):
    """The later topics can give up {can_have} min at most, so that the meeting still ends on time.
    `{command} extend {can_have}` takes them all.
    """

    asked: int
    can_have: int

    def template(self) -> str:
        """With nothing left to take, no number is offered."""
        nothing = (
            "No later topic has a minute to spare, so this one cannot be extended. "
            "`{command} next` moves on; `{command} end` closes the meeting."
        )
        return super().template() if self.can_have else nothing


@dataclass(eq=False)
class MeetingTooShort(Refused):
    """{minutes} min are too few for a review: each topic needs at least one, which makes {least}. Most take 60."""

    minutes: int
    least: int


class NotHeld(Refused):
    """No meeting was held yet; `{command} start` opens one, `{command} held` says that it took place."""


class NotEnded(Refused):
    """The meeting has not ended yet. `{command} end` closes it."""


class NotDrafted(Refused):
    """There is no draft yet. `{command} draft` writes one from the timeline, the findings and the actions."""


class NotPublished(Refused):
    """The report is not published yet. `{command} publish` shares it; after that the review can be closed."""


@dataclass(eq=False)
class WrongStage(Refused):
    """`{command} {verb}` does not fit here: this review is {stage}. `{command}` shows what comes next."""

    stage: str
    verb: str


@dataclass(eq=False)
class AnotherStep(Refused):
    """Action {number} is {state}, and `{asked}` does not fit that. After `{command}` you can type {possible}."""

    number: int
    state: str
    asked: str
    possible: tuple[str, ...]


@dataclass(eq=False)
class StillSoaking(Refused):
    """Action {number} waits until {day}: ideas get some working days before anybody promises them."""

    number: int
    day: str


class NeedsEvidence(Refused):
    """How can others see that it is done? Add one link or note: where it was deployed, tested or documented."""
