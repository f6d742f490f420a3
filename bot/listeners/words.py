"""The verbs: what is typed after the command, the ability each one calls, and the help that is printed of them.

A button carries the same words: pressing *Next* is typing `/review next`.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot import facilitating, following_up, reporting, scheduling, tagging, tracking
from bot.desk import Notes
from bot.review.findings import FindingKind
from bot.review.follow_up import read_action
from bot.review.incident import MomentName, UserId, split_severity
from bot.review.lifecycle import Role
from bot.review.refusal import (
    NeedsMinutes,
    NeedsNumber,
    NeedsPerson,
    NeedsReason,
    NeedsText,
    UnknownVerb,
    UnreadableTime,
)
from bot.review.timeline import Outcome
from bot.review.when import read_when, split_when

ANYONE, FACILITATING, OWNING, CONCERNED = "anyone", "facilitator, owner or lead", "owner or lead", "whom it is about"
MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")

What = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb: how it is typed, what it does, whom it is for, and the ability it calls with what was typed."""

    name: str
    ability: Callable[..., Notes]
    usage: str = ""
    does: str
    who: str = ANYONE
    group: str
    read: Callable[[str], What] = field(default=lambda _rest: {})
    choose: Callable[[What], tuple[Callable[..., Notes], What]] | None = None
    """Another ability for some of what can be typed: `summary` alone shows it."""
    asks: str | None = None
    """The question that one button confirms, for verbs that cannot be taken back by another."""
    form: str | None = None
    """The form that opens where nothing, or nothing that can be used, was typed."""
    anywhere: bool = False
    """Works without an incident at hand."""
    touches_agenda: bool = False
    """Changes what the agenda of an open meeting shows."""

    def call(self, rest: str) -> tuple[Callable[..., Notes], What]:
        """The ability and what it is given; raises a refusal for words that cannot be read."""
        what = self.read(rest)
        return self.choose(what) if self.choose else (self.ability, what)

    @property
    def typed(self) -> str:
        return f"{self.name} {self.usage}".strip()


def look_up(text: str) -> tuple[Verb, str]:
    """The verb somebody typed and what follows it; raises UnknownVerb with the nearest ones."""
    word, _, rest = text.strip().partition(" ")
    word = _action_or_actions(word.lower().strip(), rest.strip())
    verb = VERBS.get(SYNONYMS.get(word, word))
    if verb is None:
        raise UnknownVerb(verb=word[:40], nearest=tuple(difflib.get_close_matches(word, VERBS, n=3, cutoff=0.6)))
    return verb, rest.strip()


def _action_or_actions(word: str, rest: str) -> str:
    """`action` and `actions` accept each other's forms."""
    if word in {"action", "actions"} and rest:
        return "actions" if rest.lower() in {"mine", "open", "overdue", "all"} else "action"
    return word


# Reading what follows a verb ------------------------------------------------------------


def _text(verb: str, example: str) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if not rest:
            raise NeedsText(verb=verb, example=example)
        return {"text": rest}

    return read


def _reason(verb: str) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if not rest:
            raise NeedsReason(verb=verb)
        return {"reason": rest}

    return read


def _timed_text(rest: str) -> What:
    when, text = split_when(rest)
    if not text:
        raise NeedsText(verb="event", example="14:05 rolled back to version 41")
    return {"when": when, "text": text}


def _maybe_when(rest: str) -> What:
    return {"when": read_when(rest) if rest else None}


def _moment(name: MomentName) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if rest.lower() == "none":
            return {"name": name}
        return {"name": name, "when": read_when(rest) if rest else None}

    return read


def _set_or_clear(what: What) -> tuple[Callable[..., Notes], What]:
    return (tracking.set_moment if "when" in what else tracking.clear_moment), what


def _number(verb: str, rest: str) -> tuple[int, str]:
    number, _, more = rest.partition(" ")
    if not number.lstrip("#").isdecimal():
        raise NeedsNumber(verb=verb)
    return int(number.lstrip("#")[:9]), more.strip()


def _numbered(verb: str) -> Callable[[str], What]:
    return lambda rest: {"number": _number(verb, rest)[0]}


def _numbered_text(verb: str, example: str, *, name: str = "text") -> Callable[[str], What]:
    def read(rest: str) -> What:
        number, text = _number(verb, rest)
        if not text:
            raise NeedsText(verb=f"{verb} {number}", example=example)
        return {"number": number, name: text}

    return read


def _retime(rest: str) -> What:
    number, words = _number("retime", rest)
    return {"number": number, "when": read_when(words)}


def _outcome(rest: str) -> What:
    number, words = _number("outcome", rest)
    word = words.lower().replace(" ", "_")
    if word not in set(Outcome):
        raise NeedsText(verb=f"outcome {number}", example="helped, no effect, worse or unknown")
    return {"number": number, "outcome": Outcome(word)}


def _when_reason(rest: str) -> What:
    when, reason = split_when(rest)
    if when is None:
        raise UnreadableTime(words=rest[:60])
    if not reason:
        raise NeedsReason(verb="postpone 2026-11-20 10:00")
    return {"when": when, "reason": reason}


def _people(verb: str) -> Callable[[str], What]:
    def read(rest: str) -> What:
        users = [UserId(user) for user in MENTION.findall(rest)]
        if not users:
            raise NeedsPerson(verb=verb)
        return {"users": users}

    return read


def _role(role: Role) -> Callable[[str], What]:
    def read(rest: str) -> What:
        found = MENTION.search(rest)
        if rest and not found:
            raise NeedsPerson(verb=role.value)
        return {"role": role, "user": UserId(found[1]) if found else None}

    return read


def _person_for(role: Role) -> Callable[[str], What]:
    def read(rest: str) -> What:
        if not MENTION.search(rest):
            raise NeedsPerson(verb=role.value)
        return _role(role)(rest)

    return read


def _minutes(rest: str) -> What:
    if not re.fullmatch(r"\d{1,3}(\s*(m|min|minutes?))?", rest.lower()):
        raise NeedsMinutes
    return {"minutes": int(re.findall(r"\d+", rest)[0])}


def _seen(rest: str) -> What:
    """The version of the agenda a button was pressed on; typed by hand there is none."""
    return {"seen": int(rest) if rest.isdecimal() else None}


def _finding(kind: FindingKind, example: str) -> Callable[[str], What]:
    return lambda rest: _text(kind.value, example)(rest) | {"kind": kind}


def _open(rest: str) -> What:
    severity, title = split_severity(rest)
    return {"severity": severity.value if severity else None, "title": title or None}


def _action(rest: str) -> What:
    """`action @owner by DATE quick text`, or `action N step words`."""
    number, _, more = rest.partition(" ")
    if number.lstrip("#").isdecimal():
        step, _, text = more.strip().partition(" ")
        return {"number": int(number.lstrip("#")[:9]), "step": step.lower(), "text": text.strip()}
    words = read_action(rest)
    return {"owner": words.owner, "text": words.text, "due_words": words.due_words, "horizon": words.horizon}


def _propose_or_move(what: What) -> tuple[Callable[..., Notes], What]:
    if "number" not in what:
        return following_up.propose, what
    if not what["step"]:
        return following_up.show, {"number": what["number"]}
    return following_up.move, what


def _which(rest: str) -> What:
    return {"which": rest.lower() or "open"}


def _where_to(rest: str) -> What:
    found = CHANNEL.search(rest)
    if rest and not found:
        raise NeedsText(verb="publish", example="#channel")
    return {"to": found[1] if found else None}


def _incident_verbs() -> list[Verb]:
    group = "During the incident"
    moments = [
        Verb(
            name=name.value,
            ability=tracking.set_moment,
            read=_moment(name),
            choose=_set_or_clear,
            usage="[when or none]",
            group=group,
            does=does,
        )
        for name, does in (
            (MomentName.began, "when it began to be felt"),
            (MomentName.detected, "when somebody or something noticed"),
            (MomentName.acknowledged, "when somebody took it on"),
            (MomentName.mitigated, "when the impact was over; the review is planned from here"),
            (MomentName.resolved, "when all was as usual again"),
        )
    ]
    return [
        Verb(
            name="open",
            ability=tracking.open_incident,
            read=_open,
            usage="[sev1…sev4] [title]",
            group=group,
            does="track this place as an incident",
            anywhere=True,
        ),
        Verb(
            name="severity",
            ability=tracking.set_severity,
            read=lambda rest: {"words": rest},
            usage="sev2",
            group=group,
            does="set how grave it is",
        ),
        *moments,
        Verb(
            name="event",
            ability=tagging.add_event,
            read=_timed_text,
            usage="[when] text",
            group=group,
            form="event",
            does="put something on the timeline, backdated where you give a time",
            touches_agenda=True,
        ),
        Verb(
            name="impact",
            ability=tracking.show_impact,
            group=group,
            form="impact",
            does="who and what was touched",
        ),
        Verb(
            name="summary",
            ability=tracking.set_summary,
            read=lambda rest: {"text": rest},
            choose=lambda what: (tracking.set_summary, what) if what["text"] else (tracking.show_summary, {}),
            usage="[text]",
            group=group,
            does="set or show the one paragraph: what happened, what was felt, how it was fixed",
            touches_agenda=True,
        ),
    ]


def _timeline_verbs() -> list[Verb]:
    group = "The timeline"
    return [
        Verb(
            name="timeline",
            ability=tagging.show_timeline,
            read=lambda rest: {"every": "all" if rest.lower() == "all" else "short"},
            usage="[all]",
            group=group,
            does="the timeline in order of time",
        ),
        Verb(
            name="candidates",
            ability=tagging.offer_candidates,
            group=group,
            does="messages worth adding, to keep or leave",
        ),
        Verb(
            name="edit",
            ability=tagging.edit_event,
            read=_numbered_text("edit", "rolled back to version 41"),
            usage="N text",
            group=group,
            does="word event N anew",
            touches_agenda=True,
        ),
        Verb(
            name="retime",
            ability=tagging.retime_event,
            read=_retime,
            usage="N when",
            group=group,
            does="move event N to when it happened",
            touches_agenda=True,
        ),
        Verb(
            name="drop",
            ability=tagging.drop_event,
            read=_numbered("drop"),
            usage="N",
            group=group,
            does="take event N off the timeline",
            touches_agenda=True,
        ),
        Verb(
            name="comment",
            ability=tagging.comment_event,
            read=_numbered_text("comment", "the dashboard was two minutes behind"),
            usage="N text",
            group=group,
            does="add a comment to event N",
            touches_agenda=True,
        ),
        Verb(
            name="kind",
            ability=tagging.sort_event,
            read=_numbered_text("kind", "decision", name="words"),
            usage="N KIND",
            group=group,
            does="say what kind of event N is",
            touches_agenda=True,
        ),
        Verb(
            name="outcome",
            ability=tagging.mark_outcome,
            read=_outcome,
            usage="N helped, no effect, worse or unknown",
            group=group,
            does="say what event N led to",
            touches_agenda=True,
        ),
        Verb(
            name="answer",
            ability=facilitating.answer_stop,
            read=_numbered_text("answer", "the graph had looked the same on Monday"),
            usage="N text",
            group=group,
            does="keep the answer to the question at event N",
            touches_agenda=True,
        ),
    ]


def _planning_verbs() -> list[Verb]:
    group = "Planning the review"
    return [
        Verb(
            name="schedule",
            ability=scheduling.schedule,
            read=_maybe_when,
            usage="[when]",
            group=group,
            who=FACILITATING,
            does="propose, confirm or move the meeting",
        ),
        Verb(
            name="postpone",
            ability=scheduling.postpone,
            read=_when_reason,
            usage="when REASON",
            group=group,
            who=FACILITATING,
            does="move the meeting and say why",
        ),
        Verb(
            name="invite",
            ability=scheduling.invite,
            read=_people("invite"),
            usage="@a …",
            group=group,
            who=FACILITATING,
            does="ask people to come",
        ),
        Verb(
            name="uninvite",
            ability=scheduling.uninvite,
            read=_people("uninvite"),
            usage="@a …",
            group=group,
            who=FACILITATING,
            does="let people off",
        ),
        *(
            Verb(
                name=role.value,
                ability=tracking.take_role,
                read=_role(role) if role in {Role.facilitator, Role.scribe} else _person_for(role),
                usage="[@a]" if role in {Role.facilitator, Role.scribe} else "@a",
                group=group,
                does=does,
                touches_agenda=True,
            )
            for role, does in (
                (Role.facilitator, "who leads the meeting; without a name the rotation proposes"),
                (Role.scribe, "who writes"),
                (Role.owner, "who answers for the review being finished"),
                (Role.lead, "who led the response"),
            )
        ),
        Verb(name="policy", ability=tracking.policy, group=group, does="what this incident asks for here, and why"),
        Verb(
            name="pre-read",
            ability=scheduling.pre_read,
            group=group,
            who=FACILITATING,
            does="send the pre-read now",
        ),
    ]


def _meeting_verbs() -> list[Verb]:
    group = "In the meeting"
    return [
        Verb(
            name="start",
            ability=facilitating.start,
            group=group,
            who=FACILITATING,
            asks="Open the review meeting now? The agenda appears here, and everybody in this place sees it.",
            does="open the meeting; after end, open it again",
        ),
        Verb(
            name="next",
            ability=facilitating.advance,
            read=_seen,
            group=group,
            who=FACILITATING,
            does="the next stop or topic",
        ),
        Verb(
            name="back",
            ability=facilitating.go_back,
            read=_seen,
            group=group,
            who=FACILITATING,
            does="the one before",
        ),
        Verb(
            name="go",
            ability=facilitating.go_to,
            read=lambda rest: {"words": rest},
            usage="TOPIC",
            group=group,
            who=FACILITATING,
            does="to any topic",
        ),
        Verb(
            name="extend",
            ability=facilitating.extend,
            read=_minutes,
            usage="MINUTES",
            group=group,
            who=FACILITATING,
            does="more minutes for this topic, taken from a later one",
        ),
        Verb(
            name="park",
            ability=facilitating.park,
            read=_text("park", "how we page the second region"),
            usage="TEXT",
            group=group,
            who=FACILITATING,
            does="keep a thought for later",
        ),
        Verb(
            name="agenda",
            ability=facilitating.show_agenda,
            group=group,
            does="where the meeting is",
        ),
        Verb(name="here", ability=facilitating.arrive, group=group, does="say that you are present"),
        Verb(
            name="recording",
            ability=facilitating.set_recording,
            read=lambda rest: {"url": _text("recording", "https://…")(rest)["text"].strip("<>").partition("|")[0]},
            usage="LINK",
            group=group,
            does="keep the link to the recording",
        ),
        Verb(
            name="reveal",
            ability=facilitating.reveal,
            group=group,
            who=FACILITATING,
            does="show the answers that were given in private",
        ),
        Verb(
            name="end",
            ability=facilitating.end,
            group=group,
            who=FACILITATING,
            asks="End the review meeting? You can open it again with start.",
            does="close the meeting",
        ),
    ]


def _finding_verbs() -> list[Verb]:
    rows = (
        (FindingKind.contributor, "[technical, human or external:] text", "a retry without a limit"),
        (FindingKind.mitigator, "[designed, improvised or luck:] text", "luck: it was a quiet hour"),
        (FindingKind.risk, "text", "one person knows the failover"),
        (FindingKind.learning, "[technical, process, communication or tooling:] text", "the replica lags at night"),
        (FindingKind.dissent, "text", "I would have waited for the database"),
        (FindingKind.question, "text", "why did the alert come late"),
    )
    return [
        Verb(
            name=kind.value,
            ability=facilitating.note_finding,
            read=_finding(kind, example),
            usage=usage,
            group="What we found, at any moment",
            does=kind.meaning,
            touches_agenda=True,
        )
        for kind, usage, example in rows
    ]


def _action_verbs() -> list[Verb]:
    group = "Actions"
    return [
        Verb(
            name="action",
            ability=following_up.propose,
            read=_action,
            choose=_propose_or_move,
            usage="@owner [by DATE] [quick or long] text",
            group=group,
            form="action",
            does="propose an action, or with its number show or move it: "
            "N [commit · begin · block REASON · done · decline REASON · due DATE · owner @a · priority high]",
            who=ANYONE,
            anywhere=True,
            touches_agenda=True,
        ),
        Verb(
            name="actions",
            ability=following_up.show_actions,
            read=_which,
            usage="[mine, open, overdue or all]",
            group=group,
            does="a list; `mine` works anywhere",
            anywhere=True,
        ),
    ]


def _report_verbs() -> list[Verb]:
    group = "After the meeting"
    return [
        Verb(name="draft", ability=reporting.draft, group=group, who=OWNING, does="write the report's draft"),
        Verb(name="approve", ability=reporting.approve, group=group, who=OWNING, does="say that the draft is right"),
        Verb(
            name="publish",
            ability=reporting.publish,
            read=_where_to,
            usage="[#channel]",
            group=group,
            who=OWNING,
            asks="Publish the summary? Everybody in the incident's channel, and in the one you named, can read it.",
            does="post the summary here, and in a channel you name",
        ),
        Verb(
            name="report",
            ability=reporting.report,
            read=lambda rest: {"form": rest.lower() or "md"},
            usage="[md, html, pdf or json]",
            group=group,
            does="the written review",
        ),
        Verb(
            name="search",
            ability=reporting.search,
            read=lambda rest: {"words": _text("search", "connection pool")(rest)["text"]},
            usage="words",
            group=group,
            does="across all reviews you may see",
            anywhere=True,
        ),
        Verb(
            name="close",
            ability=reporting.close,
            group=group,
            who=OWNING,
            asks="Close this review? Open actions live on, and their owners still hear of them.",
            does="close the review; open actions live on",
        ),
    ]


def _exit_verbs() -> list[Verb]:
    group = "When it goes another way"
    return [
        Verb(
            name="cancel",
            ability=tracking.cancel,
            read=_reason("cancel"),
            usage="REASON",
            group=group,
            who=FACILITATING,
            asks="Cancel this incident? It was a false alarm or a duplicate, and nobody will hear of it again.",
            does="it was a false alarm or a duplicate",
        ),
        Verb(
            name="skip",
            ability=tracking.skip,
            read=_reason("skip"),
            usage="REASON",
            group=group,
            who=FACILITATING,
            asks="Go on without a review? The timeline is kept.",
            does="no review is wanted",
        ),
        Verb(
            name="held",
            ability=facilitating.held,
            read=_maybe_when,
            usage="[when]",
            group=group,
            who=FACILITATING,
            does="the meeting was held without the bot",
        ),
        Verb(
            name="reopen",
            ability=tracking.reopen,
            group=group,
            who=FACILITATING,
            does="it broke again, or it was ended too soon",
        ),
    ]


VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verbs in (
        _incident_verbs(),
        _timeline_verbs(),
        _planning_verbs(),
        _meeting_verbs(),
        _finding_verbs(),
        _action_verbs(),
        _report_verbs(),
        _exit_verbs(),
    )
    for verb in verbs
}
"""In the order a review uses them."""

SYNONYMS = {"preread": "pre-read", "me": "here"}


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The help: every group's title with its verbs as typed and what each does."""
    titles = list(dict.fromkeys(verb.group for verb in VERBS.values()))
    return [(title, [(v.typed, v.does) for v in VERBS.values() if v.group == title]) for title in titles]
