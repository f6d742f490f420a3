"""The verbs: what is typed after the command, the ability each one calls, and the help that is printed of them.

A button carries the same words: pressing *Next* is typing `/review next`.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace

from bot import (
    briefing,
    closing,
    facilitating,
    following_up,
    inviting,
    listening,
    noting,
    offering,
    opening,
    preparing,
    reporting,
    revising,
    scheduling,
    sealing,
    searching,
    sparing,
    tagging,
    tracking,
    walking,
    wording,
)
from bot.desk import Turn
from bot.listeners import reading
from bot.listeners.choosing import (
    about_wordings,
    choose_or_show_stops,
    invite_or_answer,
    keep_or_offer,
    move_or_call_off,
    name_or_answer,
    propose_or_move,
    public_or_offer,
    read_or_edit,
    schedule_or_lead,
    set_or_ask,
    set_or_clear,
    set_or_show,
    shortly_or_in_full,
    show_or_change,
    show_or_offer,
    tap_or_ask,
)
from bot.listeners.deeds import Ability, Deed, Needs, What
from bot.review.findings import FindingKind
from bot.review.incident import MomentName
from bot.review.lifecycle import Role, Who
from bot.review.refusal import UnknownVerb
from bot.review.timeline import Kind
from storage.models import Incident


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something that many people notice is done, and the words of the one button."""

    words: str
    yes: str
    only_where: Callable[[Turn, Incident], None] | None = None
    """Raises a refusal where it does not fit: nobody is asked about what would be refused."""


@dataclass(frozen=True)
class Verb:
    """One verb: its name, the ability it calls, and what it does in a few words."""

    name: str
    ability: Ability
    does: str
    _: KW_ONLY
    usage: str = ""
    who: Who = Who.anyone
    read: Callable[[str], What] = reading.nothing
    needs: Needs = Needs.place
    choose: Callable[[What], Deed] | None = None
    """Another ability for some of what can be typed: `summary` alone shows it."""
    asks: Question | None = None
    more: str = ""
    """What the help of this verb adds; the help of all has to fit into one message."""
    touches_agenda: bool = False
    """Changes what the agenda of an open meeting shows."""
    said_alone: bool = False
    """What follows it is for nobody's eyes: in a mention, which everybody reads, it is not taken."""

    def deed(self, rest: str) -> Deed:
        """The ability and what it is given; raises a refusal for words that cannot be read."""
        what = self.read(rest)
        deed = self.choose(what) if self.choose else Deed(self.ability, what, needs=self.needs)
        return replace(deed, touches_agenda=self.touches_agenda)

    @property
    def told(self) -> str:
        """All that it does."""
        return f"{self.does}; {self.more}" if self.more else self.does

    @property
    def typed(self) -> str:
        return f"{self.name} {self.usage}".strip()


def look_up(text: str) -> tuple[Verb, str]:
    """The verb somebody typed and what follows it; raises UnknownVerb with the nearest ones."""
    word, rest = [*text.split(None, 1), "", ""][:2]
    word = _action_or_actions(word.lower(), rest.strip())
    verb = VERBS.get(SYNONYMS.get(word, word))
    if verb is None:
        raise UnknownVerb(
            verb=word[:40], nearest=tuple(difflib.get_close_matches(word, ["help", *VERBS], n=3, cutoff=0.6))
        )
    return verb, rest.strip()


def explained(about: str) -> Verb:
    """The verb of this name, else the one whose help tells of such a word; raises UnknownVerb."""
    try:
        return look_up(about)[0]
    except UnknownVerb:
        word = about.split(maxsplit=1)[0].lower()
        telling = [verb for verb in VERBS.values() if re.search(rf"`{re.escape(word)}\b", verb.more)]
        if not telling:
            raise
        return telling[0]


def _action_or_actions(word: str, rest: str) -> str:
    """`action` and `actions` accept each other's forms."""
    if word in {"action", "actions"} and rest:
        return "actions" if rest.lower() in {"mine", "open", "overdue", "all"} else "action"
    return word


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The help: every group's title with its verbs as typed and what each does."""
    return [(title, [(verb.typed, verb.does) for verb in verbs]) for title, verbs in GROUPS.items()]


# The table --------------------------------------------------------------------------------


def _moment(name: MomentName, does: str, more: str = "") -> Verb:
    return Verb(
        name.value,
        tracking.set_moment,
        does,
        usage="[when or none]",
        read=reading.moment(name),
        more=more,
        choose=set_or_clear,
        touches_agenda=True,
    )


def _role(role: Role, does: str, *, rotates: str = "") -> Verb:
    if not rotates:
        read = reading.person_for(role)
        return Verb(role.value, tracking.take_role, does, usage="@a", read=read, touches_agenda=True)
    return Verb(
        role.value,
        tracking.take_role,
        does,
        usage=rotates,
        read=reading.role_or_answer(role),
        choose=name_or_answer,
        more="without a name the rotation proposes somebody; who was asked says `take` or `pass`",
        touches_agenda=True,
    )


def _finding(kind: FindingKind, usage: str) -> Verb:
    read = reading.finding(kind)
    return Verb(kind.value, noting.note_finding, kind.meaning, usage=usage, read=read, touches_agenda=True)


GROUPS: Mapping[str, tuple[Verb, ...]] = {
    "During the incident": (
        Verb(
            "open",
            opening.open_incident,
            "follow this place as an incident",
            more="in an old channel, `from:24h`, `from:7d` or `from:all` says from when",
            usage="[sev1…sev4] [title]",
            read=reading.opening(opening.FROM),
            needs=Needs.channel,
        ),
        Verb(
            "severity",
            tracking.set_severity,
            "set how bad it is",
            more="sev1 is the most severe; alone, it asks six questions and proposes one",
            usage="[sev2]",
            read=reading.as_it_is("words"),
            choose=set_or_ask,
            touches_agenda=True,
        ),
        _moment(MomentName.began, "when it began to be felt"),
        _moment(MomentName.detected, "when somebody or something noticed"),
        _moment(MomentName.acknowledged, "when somebody took it on"),
        _moment(MomentName.mitigated, "when the impact was over", more="the review is planned from here"),
        _moment(MomentName.resolved, "when everything was normal again"),
        Verb(
            "event",
            tagging.add_event,
            "put something on the timeline",
            more="backdated where you give a time",
            usage="[when] text",
            read=reading.timed_text,
            touches_agenda=True,
        ),
        Verb(
            "include",
            listening.include,
            "read along there, too",
            usage="#channel or LINK",
            read=reading.further(opening.FROM),
            needs=Needs.further,
        ),
        Verb("impact", tracking.show_impact, "who and what was affected"),
        Verb(
            "summary",
            tracking.set_summary,
            "set or show the summary",
            more="what happened, what was felt, how it was fixed, in a sentence each",
            usage="[text]",
            read=reading.as_it_is("text"),
            choose=set_or_show,
            touches_agenda=True,
        ),
    ),
    "The timeline": (
        Verb(
            "timeline",
            tagging.show_timeline,
            "what happened, in order of time; or messages worth adding to it",
            usage="[all or candidates]",
            read=reading.every,
            choose=show_or_offer,
        ),
        Verb(
            "candidates",
            offering.offer_candidates,
            "messages worth adding, to keep or leave",
            read=reading.pick,
            choose=keep_or_offer,
            touches_agenda=True,
        ),
        Verb(
            "edit",
            tagging.edit_event,
            "reword event N",
            usage="N text",
            read=reading.numbered_text("edit"),
            touches_agenda=True,
        ),
        Verb(
            "retime",
            tagging.retime_event,
            "move event N to when it happened",
            usage="N when",
            read=reading.retime,
            touches_agenda=True,
        ),
        Verb(
            "drop",
            tagging.drop_event,
            "take event N off the timeline",
            usage="N",
            read=reading.numbered("drop"),
            touches_agenda=True,
        ),
        Verb(
            "comment",
            tagging.comment_event,
            "add a comment to event N",
            usage="N text",
            read=reading.numbered_text("comment"),
            touches_agenda=True,
        ),
        Verb(
            "kind",
            tagging.sort_event,
            "what kind of event N is",
            more=", ".join(kind.label for kind in Kind),
            usage="N KIND",
            read=reading.numbered_text("kind", "words"),
            touches_agenda=True,
        ),
        Verb(
            "outcome",
            tagging.mark_outcome,
            "what event N led to",
            usage="N helped, no effect, worse or unknown",
            read=reading.outcome,
            touches_agenda=True,
        ),
        Verb(
            "missing",
            tagging.add_near,
            "add what is missing near event N",
            usage="N text",
            read=reading.numbered_text("missing"),
            touches_agenda=True,
        ),
    ),
    "Planning the review": (
        Verb(
            "schedule",
            scheduling.schedule,
            "propose, confirm or move the meeting",
            more="`because` and a reason may follow the hour; `light` leads you through the review alone, `async` asks "
            "in threads with one deadline, `apart @group thu 10:00` lets a team meet by itself before, "
            "`apart @group off REASON` calls that off",
            usage="[when]",
            who=Who.facilitating,
            read=reading.hour_or_way,
            choose=schedule_or_lead,
        ),
        Verb(
            "postpone",
            scheduling.postpone,
            "move the meeting and say why",
            more="`off REASON` calls it off; without words, a form",
            usage="when REASON",
            who=Who.facilitating,
            read=reading.move_or_off,
            choose=move_or_call_off,
        ),
        Verb(
            "invite",
            inviting.invite,
            "ask people to come",
            usage="@a …",
            who=Who.facilitating,
            read=reading.people_or_answer("invite"),
            choose=invite_or_answer,
            more="of a user group, those who can see the incident; without names a form changes who comes; "
            "who was asked answers `yes` or `no`",
        ),
        Verb(
            "uninvite",
            inviting.uninvite,
            "let people off",
            usage="@a …",
            who=Who.facilitating,
            read=reading.people_and_groups("uninvite"),
        ),
        Verb(
            "leaders",
            briefing.name_leaders,
            "ask leaders to come",
            more="each gets five private lines on how to take part, beforehand",
            usage="@a …",
            who=Who.facilitating,
            read=reading.people("leaders"),
        ),
        _role(Role.facilitator, "who leads the meeting", rotates="[@a]"),
        _role(Role.scribe, "who writes", rotates="[@a]"),
        _role(Role.owner, "who answers for the review being finished"),
        _role(Role.lead, "who leads the response"),
        Verb(
            "stops",
            walking.choose_stops,
            "show or choose where the walk stops",
            usage="[N … or rule]",
            who=Who.facilitating,
            read=reading.stops,
            choose=choose_or_show_stops,
            touches_agenda=True,
        ),
        Verb(
            "policy",
            tracking.policy,
            "what this incident asks for here, and why",
            usage="[all]",
            read=reading.as_it_is("words"),
            choose=shortly_or_in_full,
        ),
        Verb("pre-read", preparing.pre_read, "send the pre-read now", who=Who.facilitating),
        Verb(
            "surprise",
            sealing.answer,
            "answer in private what surprised you",
            more="nobody reads it before the facilitator, the owner or the lead opens all answers in the meeting",
            read=reading.as_it_is("text"),
            said_alone=True,
        ),
    ),
    "In the meeting": (
        Verb(
            "start",
            facilitating.start,
            "open the meeting",
            more="after end, open it again; where it runs by itself, lead it",
            who=Who.facilitating,
            asks=Question(
                "Open the review meeting now? Its agenda appears in the meeting's place, for everybody there.",
                yes="Yes, start",
            ),
        ),
        Verb(
            "run",
            facilitating.run_itself,
            "let the meeting run by itself",
            more="its agenda goes on when the minutes of a topic are over, and everybody may press",
            who=Who.facilitating,
        ),
        Verb("next", facilitating.advance, "the next stop or topic", who=Who.facilitating, read=reading.seen),
        Verb("back", facilitating.go_back, "the one before", who=Who.facilitating, read=reading.seen),
        Verb(
            "go",
            facilitating.go_to,
            "to any topic",
            usage="TOPIC",
            who=Who.facilitating,
            read=reading.as_it_is("words"),
        ),
        Verb(
            "visit",
            walking.visit,
            "stop at event N, too",
            usage="N",
            who=Who.facilitating,
            read=reading.numbered("visit"),
            touches_agenda=True,
        ),
        Verb(
            "another",
            walking.ask_another,
            "another question at this stop",
            who=Who.facilitating,
            read=reading.seen,
            touches_agenda=True,
        ),
        Verb(
            "answer",
            walking.answer_stop,
            "keep the answer to the question at event N",
            usage="N text",
            read=reading.numbered_text("answer"),
            touches_agenda=True,
        ),
        Verb(
            "extend",
            facilitating.extend,
            "more minutes for this topic",
            more="they come from the longest later one, so that the meeting ends on time",
            usage="MINUTES",
            who=Who.facilitating,
            read=reading.minutes,
        ),
        Verb(
            "park",
            noting.park,
            "keep a thought for later",
            more="the scribe may, too",
            usage="TEXT",
            who=Who.facilitating,
            read=reading.as_it_is("text"),
            touches_agenda=True,
        ),
        Verb(
            "note",
            noting.note,
            "write something down",
            more="without words, a form for everything that can be noted",
            usage="TEXT",
            read=reading.as_it_is("text"),
            touches_agenda=True,
        ),
        Verb("agenda", facilitating.show_agenda, "where the meeting is"),
        Verb(
            "down",
            facilitating.bring_down,
            "bring the agenda down",
            read=reading.seen,
            more="it is posted anew below what was said meanwhile",
        ),
        Verb("card", facilitating.help_card, "help for whoever leads", who=Who.facilitating),
        Verb("here", noting.arrive, "say that you are present", touches_agenda=True),
        Verb(
            "recording",
            noting.set_recording,
            "keep the link to the recording",
            usage="LINK",
            read=reading.link,
            touches_agenda=True,
        ),
        Verb(
            "pulse",
            closing.tap,
            "how the meeting was for you, counted without names",
            read=reading.as_it_is("words"),
            choose=tap_or_ask,
            said_alone=True,
        ),
        Verb(
            "reveal",
            sealing.reveal,
            "open the private answers",
            more="all at once and in no order; those without a name stay without one",
            who=Who.facilitating,
            touches_agenda=True,
        ),
        Verb(
            "end",
            facilitating.end,
            "close the meeting",
            who=Who.facilitating,
            asks=Question(
                "End the review meeting? `start` opens it again.",
                yes="Yes, end the meeting",
            ),
        ),
    ),
    "What we found, at any moment": (
        _finding(FindingKind.contributor, "[technical, human or external:] text"),
        _finding(FindingKind.mitigator, "[designed, improvised or luck:] text"),
        _finding(FindingKind.risk, "text"),
        _finding(FindingKind.learning, "[technical, process, communication or tooling:] text"),
        _finding(FindingKind.dissent, "text"),
        _finding(FindingKind.question, "text"),
        Verb(
            "finding",
            revising.show,
            "show or change finding N: edit TEXT, kind KIND, sort SORT, of EVENT, merge M …, drop, back",
            usage="N [step]",
            read=reading.finding_step,
            choose=show_or_change,
            touches_agenda=True,
        ),
        Verb(
            "nudges",
            wording.resume,
            "other wordings, offered to you alone: on, off, or with `use` and `keep` what to do with one",
            usage="on or off",
            read=reading.nudges,
            choose=about_wordings,
            touches_agenda=True,
        ),
    ),
    "Actions": (
        Verb(
            "action",
            following_up.propose,
            "propose an action, or see or move action N",
            more="with its number anybody sees it, and its owner or who leads the review moves it: "
            "N [commit · begin · block REASON · done · decline REASON · propose · edit TEXT · due DATE · owner @a · "
            "priority high]; its owner also says N [snooze DATE · worked yes, no or unsure]",
            usage="@owner [by DATE] [quick or long] text",
            read=reading.action,
            choose=propose_or_move,
            touches_agenda=True,
        ),
        Verb(
            "actions",
            following_up.show_actions,
            "a list; `mine` works anywhere",
            usage="[mine, open, overdue or all]",
            read=reading.which,
        ),
        Verb(
            "reminders",
            sparing.set_reminders,
            "my messages to you",
            more="`snooze` pauses them for a week, or until the day you name",
            usage="[on, off or snooze DATE]",
            read=reading.as_it_is("words"),
            needs=Needs.nothing,
        ),
    ),
    "After the meeting": (
        Verb("draft", reporting.draft, "write the report's draft", who=Who.owning, needs=Needs.compared),
        Verb("approve", reporting.approve, "say that the draft is right", who=Who.owning),
        Verb(
            "publish",
            reporting.publish,
            "post the summary here, and in a channel you name",
            usage="[#channel]",
            who=Who.owning,
            read=reading.where_to,
            needs=Needs.audience,
            asks=Question(
                "Publish the summary? Everybody in the incident's channel, in one you named, and where the policy "
                "sends it, can read it.",
                yes="Yes, publish",
            ),
        ),
        Verb(
            "report",
            reporting.report,
            "the written review; `html` and `pdf` send you the whole of it, `edit` changes its texts",
            usage="[md, html, pdf, json or edit]",
            read=reading.form,
            choose=read_or_edit,
        ),
        Verb(
            "search",
            searching.find,
            "across all reviews you may see; words in quotes stand side by side",
            usage="words",
            read=reading.search,
            needs=Needs.nothing,
        ),
        Verb(
            "close",
            reporting.close,
            "close the review; open actions live on",
            who=Who.owning,
            asks=Question(
                "Close this review? Open actions live on, and their owners still hear of them.", yes="Yes, close it"
            ),
        ),
    ),
    "When it goes another way": (
        Verb(
            "cancel",
            tracking.cancel,
            "it was a false alarm or a duplicate",
            usage="REASON",
            who=Who.facilitating,
            read=reading.reason("cancel"),
            asks=Question(
                "Cancel this incident? It is for false alarms and duplicates; nobody is asked about a review.",
                yes="Yes, cancel it",
                only_where=tracking.must_be_cancellable,
            ),
        ),
        Verb(
            "skip",
            tracking.skip,
            "no review is wanted",
            usage="REASON",
            who=Who.facilitating,
            read=reading.reason("skip"),
            asks=Question(
                "Go on without a review? The timeline is kept.",
                yes="Yes, skip the review",
                only_where=tracking.must_be_skippable,
            ),
        ),
        Verb(
            "held",
            facilitating.held,
            "it was held without the bot",
            usage="[when]",
            who=Who.facilitating,
            read=reading.maybe_when,
        ),
        Verb(
            "public",
            listening.make_public,
            "show a private incident to everybody",
            more="once its channel is public",
            read=reading.confirmed,
            choose=public_or_offer,
        ),
        Verb("reopen", tracking.reopen, "it broke again, or it was ended too soon", who=Who.facilitating),
    ),
}
"""Every verb by what it is for, in the order a review uses them."""

VERBS: Mapping[str, Verb] = {verb.name: verb for verbs in GROUPS.values() for verb in verbs}
SYNONYMS = {"preread": "pre-read"}
