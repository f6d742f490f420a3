"""The verbs: all that were promised, as they are typed, and the abilities that take them."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import (
    assessing,
    briefing,
    closing,
    convening,
    discussing,
    facilitating,
    following_up,
    inviting,
    leading_through,
    listening,
    meeting_apart,
    noting,
    offering,
    opening,
    preparing,
    reporting,
    revising,
    rotating,
    scheduling,
    sealing,
    searching,
    sparing,
    tagging,
    tracking,
    walking,
    wording,
)
from bot.listeners.deeds import Needs
from bot.listeners.words import VERBS, explained, groups, look_up
from bot.render import Renderer
from bot.review.incident import ChannelId, Place
from bot.review.lifecycle import Who
from bot.review.refusal import NeedsPlace, NeedsReason, Refused, UnknownVerb

TEMPLATES = Path(__file__).parents[2] / "templates" / "notes"

PROMISED = {
    Who.anyone: (
        "open severity began detected acknowledged mitigated resolved impact summary event timeline candidates "
        "edit retime drop comment kind facilitator scribe owner lead policy "
        "contributor mitigator risk learning dissent question action actions report search include public"
    ),
    Who.facilitating: (
        "cancel skip held reopen schedule postpone invite uninvite pre-read start next back go extend park reveal end"
    ),
    Who.owning: "draft approve publish close",
}
"""The verbs of the contract and whom each is for."""
ASKED = {"cancel", "skip", "start", "end", "publish", "close"}

EXAMPLES: list[tuple[str, Callable[..., Any]]] = [
    ("open sev2 Checkout is slow", opening.open_incident),
    ("open", opening.open_incident),
    ("include <#C0SUPPORT|support> from:7d", listening.include),
    ("severity sev2", tracking.set_severity),
    ("severity", assessing.show_severity),
    ("began 14:05", tracking.set_moment),
    ("detected", tracking.set_moment),
    ("acknowledged 10 min ago", tracking.set_moment),
    ("mitigated yesterday 14:05", tracking.set_moment),
    ("resolved none", tracking.clear_moment),
    ("impact", tracking.show_impact),
    ("summary Checkout was slow for an hour", tracking.set_summary),
    ("summary", tracking.show_summary),
    ("event 14:05 rolled back to version 41", tagging.add_event),
    ("event rolled back to version 41", tagging.add_event),
    ("timeline all", tagging.show_timeline),
    ("candidates", offering.offer_candidates),
    ("timeline candidates", offering.offer_candidates),
    ("candidates keep C0INC 1763474400.000100", offering.keep_candidates),
    ("candidates keep suggested", offering.keep_suggested),
    ("edit 3 rolled back", tagging.edit_event),
    ("retime 3 14:07", tagging.retime_event),
    ("drop 3", tagging.drop_event),
    ("comment #3 the dashboard was late", tagging.comment_event),
    ("kind 3 decision", tagging.sort_event),
    ("outcome 3 no effect", tagging.mark_outcome),
    ("missing 3 support had called twice", tagging.add_near),
    ("answer 3 it looked as usual", walking.answer_stop),
    ("stops", walking.show_stops),
    ("stops rule", walking.choose_stops),
    ("stops 1, #4 7", walking.choose_stops),
    ("visit 4", walking.visit),
    ("another", walking.ask_another),
    ("another 7", walking.ask_another),
    ("schedule", scheduling.schedule),
    ("schedule mon 10:00", scheduling.schedule),
    ("schedule mon 10:00 because Priya is away", scheduling.schedule),
    ("schedule book 2026-11-20 09:00Z", scheduling.choose),
    ("schedule instead 2026-11-20 09:00Z", scheduling.meet_instead),
    ("schedule light", leading_through.begin),
    ("schedule Light next 3", leading_through.advance),
    ("schedule light back 3", leading_through.go_back),
    ("schedule light stop", leading_through.stop),
    ("schedule light close", leading_through.finish),
    ("schedule async", discussing.begin),
    ("schedule async longer", discussing.prolong),
    ("schedule async close", discussing.close),
    ("schedule apart @payments thu 10:00", meeting_apart.plan),
    ("schedule apart @payments off they fly", meeting_apart.call_off),
    ("postpone 2026-11-20 10:00 the room is taken", scheduling.postpone),
    ("postpone the room is taken", scheduling.postpone),
    ("postpone off nobody can come", scheduling.call_off),
    ("postpone Why the room was taken", scheduling.explain),
    ("invite <@U1> <@U2|ada>", inviting.invite),
    ("invite yes", convening.answer),
    ("invite No", convening.answer),
    ("leaders <@U0JONAS>", briefing.name_leaders),
    ("invite <!subteam^S0PAY|@payments> <@U1>", inviting.invite),
    ("uninvite <@U1>", inviting.uninvite),
    ("uninvite @payments", inviting.uninvite),
    ("facilitator", tracking.take_role),
    ("facilitator take", rotating.take),
    ("scribe pass", rotating.pass_on),
    ("facilitator beside", rotating.ask_beside),
    ("facilitator sit", rotating.sit_beside),
    ("scribe <@U1>", tracking.take_role),
    ("owner <@U1>", tracking.take_role),
    ("lead <@U1|ada>", tracking.take_role),
    ("policy", tracking.policy),
    ("policy All", tracking.policy_in_full),
    ("pre-read", preparing.pre_read),
    ("preread", preparing.pre_read),
    ("surprise how long it took", sealing.answer),
    ("start", facilitating.start),
    ("run", facilitating.run_itself),
    ("next", facilitating.advance),
    ("next 7", facilitating.advance),
    ("back", facilitating.go_back),
    ("go actions", facilitating.go_to),
    ("extend 5", facilitating.extend),
    ("extend 5 min", facilitating.extend),
    ("extend 5 7", facilitating.extend),
    ("park how we page the second region", noting.park),
    ("note support heard of it first", noting.note),
    ("agenda", facilitating.show_agenda),
    ("down", facilitating.bring_down),
    ("down 7", facilitating.bring_down),
    ("card", facilitating.help_card),
    ("here", noting.arrive),
    ("recording <https://example.com/r|the call>", noting.set_recording),
    ("reveal", sealing.reveal),
    ("end", facilitating.end),
    ("contributor technical: a retry without a limit", noting.note_finding),
    ("mitigator luck: it was a quiet hour", noting.note_finding),
    ("risk one person knows the failover", noting.note_finding),
    ("learning the replica lags", noting.note_finding),
    ("finding 1", revising.show),
    ("finding 1 edit the pool had no limit", revising.revise),
    ("finding 1 sort technical", revising.revise),
    ("finding 1 kind risk", revising.revise),
    ("finding 1 of 2", revising.revise),
    ("finding 1 of none", revising.revise),
    ("finding 1 merge 2 3", revising.merge),
    ("finding 1 drop", revising.drop),
    ("finding 1 back", revising.take_back),
    ("finding 1 recurs 7", revising.see_again),
    ("finding 1 new", revising.see_as_new),
    ("nudges off", wording.stop),
    ("nudges on", wording.resume),
    ("nudges keep", wording.keep),
    ("nudges use finding 1", wording.use),
    ("reminders snooze", sparing.set_reminders),
    ("dissent I would have waited", noting.note_finding),
    ("question how long do connections live", noting.note_finding),
    ("action <@U1> by friday quick write the runbook", following_up.propose),
    ("actions <@U1> write the runbook", following_up.propose),
    ("action 12", following_up.show),
    ("actions 12 commit", following_up.move),
    ("action 12 block waiting for the vendor", following_up.move),
    ("actions", following_up.show_actions),
    ("action mine", following_up.show_actions),
    ("actions overdue", following_up.show_actions),
    ("pulse", closing.ask_pulse),
    ("pulse Learned", closing.tap),
    ("draft", reporting.draft),
    ("approve", reporting.approve),
    ("publish", reporting.publish),
    ("publish <#C0GENERAL|general>", reporting.publish),
    ("report json", reporting.report),
    ("search connection pool", searching.find),
    ("close", reporting.close),
    ("cancel a duplicate", tracking.cancel),
    ("skip too small", tracking.skip),
    ("held yesterday 10:00", facilitating.held),
    ("reopen", tracking.reopen),
    ("public", listening.offer_public),
    ("public yes", listening.make_public),
]


FOUND = {
    Needs.nothing: (),
    Needs.place: ("where",),
    Needs.channel: ("where", "channel", "sizes"),
    Needs.seen: ("where", "channel"),
    Needs.further: ("where", "channel"),
    Needs.compared: ("where", "uncompared"),
    Needs.audience: ("where", "audience"),
}
"""What each ability is given besides the words."""


@pytest.mark.parametrize("who", PROMISED)
def test_every_promised_verb_is_there_for_those_it_was_promised_to(who: Who):
    assert {verb: VERBS[verb].who for verb in PROMISED[who].split()} == dict.fromkeys(PROMISED[who].split(), who)


def test_what_cannot_be_taken_back_is_asked_first():
    assert {name for name, verb in VERBS.items() if verb.asks} == ASKED


@pytest.mark.parametrize(("typed", "ability"), EXAMPLES, ids=[typed for typed, _ in EXAMPLES])
def test_what_is_typed_reaches_its_ability_with_what_it_takes(typed: str, ability: Callable[..., Any]):
    verb, rest = look_up(typed)

    deed = verb.deed(rest)

    assert deed.ability is ability
    assert {*deed.what, *FOUND[deed.needs], "turn", "by"} <= {*inspect.signature(ability).parameters}


REASONS = [("because ill", "ill"), ("Because: ill", "ill"), ("because of my train", "because of my train")]


@pytest.mark.parametrize(("typed", "kept"), [*REASONS, ("becausewise", "becausewise")])
@pytest.mark.parametrize("before", ["postpone 2026-11-20 10:00", "postpone off", "postpone why"])
def test_the_because_before_a_reason_is_no_part_of_it(before: str, typed: str, kept: str):
    verb, rest = look_up(f"{before} {typed}")

    assert verb.deed(rest).what["reason"] == kept


@pytest.mark.parametrize(("typed", "kept"), REASONS)
def test_the_because_between_an_hour_and_its_reason_is_no_part_of_it_either(typed: str, kept: str):
    verb, rest = look_up(f"schedule 2026-11-20 10:00 {typed}")

    assert verb.deed(rest).what["reason"] == kept


def test_there_is_an_example_of_every_verb():
    assert {look_up(typed)[0].name for typed, _ in EXAMPLES} == set(VERBS)


def test_a_link_is_kept_as_its_address():
    typed = "recording <https://example.com/r?a=1&amp;b=2|the call>"

    assert look_up(typed)[0].deed(look_up(typed)[1]).what == {"url": "https://example.com/r?a=1&b=2"}


def test_a_button_says_which_agenda_it_was_pressed_on():
    assert VERBS["extend"].deed("5 min").what == {"minutes": 5, "seen": None}
    assert VERBS["extend"].deed("5 7").what == {"minutes": 5, "seen": 7}
    assert VERBS["next"].deed("7").what == {"seen": 7}


def test_what_is_noted_in_a_meeting_is_shown_in_its_agenda():
    noted = ["here", "park", "recording", "answer", "contributor", "question", "action", "summary"]

    assert [name for name in noted if not VERBS[name].touches_agenda] == []


def test_how_much_of_an_old_channel_is_read_can_be_typed():
    what = VERBS["open"].deed("from:24h sev2 Checkout is slow").what

    assert what == {"since": "24h", "severity": "sev2", "title": "Checkout is slow"}


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("<#C0SUPPORT|support>", Place(ChannelId("C0SUPPORT"))),
        ("from:24h <#C0SUPPORT>", Place(ChannelId("C0SUPPORT"))),
        ("<https://acme.slack.com/archives/C0A/p1763470000000100>", Place(ChannelId("C0A"), "1763470000.000100")),
        (
            "<https://acme.slack.com/archives/C0A/p1763470009000300?thread_ts=1763470000.000100&amp;cid=C0A>",
            Place(ChannelId("C0A"), "1763470000.000100"),
        ),
        (
            "https://acme.slack.com/archives/C0A/p1763470009000300?cid=C0A&thread_ts=1763470000.000100",
            Place(ChannelId("C0A"), "1763470000.000100"),
        ),
    ],
)
def test_a_further_place_is_a_channel_or_the_link_of_a_thread(typed: str, place: Place):
    assert VERBS["include"].deed(typed).what["place"] == place


@pytest.mark.parametrize("typed", ["", "#support", "https://example.com/archives/nothing", "<@U0MARA>"])
def test_what_names_no_place_is_asked_for(typed: str):
    with pytest.raises(NeedsPlace):
        VERBS["include"].deed(typed)


def test_nothing_typed_is_not_called_wrong():
    with pytest.raises(Refused) as refused:
        VERBS["retime"].deed("3")

    assert refused.value.sentence("/review").startswith("When? Write it after the verb: `/review retime 3 14:05`.")


def test_words_are_read_in_any_case_and_with_any_spaces():
    assert look_up("  TimeLine   ALL ")[0].name == "timeline"
    assert look_up("event\n14:05 rolled back")[0].name == "event"


@pytest.mark.parametrize(("typed", "near"), [("tmieline", "timeline"), ("hlep", "help"), ("shedule mon", "schedule")])
def test_an_unknown_verb_is_answered_with_the_nearest(typed: str, near: str):
    with pytest.raises(UnknownVerb) as unknown:
        look_up(typed)

    assert unknown.value.nearest[0] == near


@pytest.mark.parametrize(
    ("about", "name"), [("apart", "schedule"), ("Async", "schedule"), ("snooze", "reminders"), ("start", "start")]
)
def test_the_help_finds_a_word_that_belongs_to_a_verb(about: str, name: str):
    assert explained(about).name == name


@pytest.mark.parametrize("about", ["xyzzy", "(", "`"])
def test_the_help_of_a_word_that_belongs_to_none_is_refused(about: str):
    with pytest.raises(UnknownVerb):
        explained(about)


@pytest.mark.parametrize("typed", ["off", "cancel", "none", "threads", "asynchron", "lite", "alone"])
def test_what_is_no_hour_is_answered_with_the_ways_without_one(typed: str):
    with pytest.raises(Refused) as refused:
        VERBS["schedule"].deed(typed)

    sentence = refused.value.sentence("/review")
    assert sentence.startswith(f"I could not read “{typed}” as an hour, so nothing was changed.")
    for way in ("`/review schedule light`", "`/review schedule async`", "`/review postpone off REASON`"):
        assert way in sentence


def test_whoever_is_asked_for_a_reason_reads_that_nothing_was_changed():
    sentence = NeedsReason(verb="postpone thu 10:00").sentence("/review")

    assert sentence == (
        "A short reason helps everybody who reads this later, and without one nothing was changed: "
        "`/review postpone thu 10:00 REASON`."
    )


def test_other_words_for_the_policy_are_answered_with_those_it_takes():
    with pytest.raises(Refused, match="`/review policy` says what this incident asks for, and `/review policy all`"):
        VERBS["policy"].deed("foo")


def test_a_word_like_no_other_is_answered_with_help_alone():
    with pytest.raises(UnknownVerb) as unknown:
        look_up("xyzzy")

    assert unknown.value.nearest == ()
    assert "Did you mean" not in unknown.value.sentence("/review")


def test_the_help_prints_every_verb_under_the_name_the_command_has_here():
    help_of_all = Renderer(command="/debrief").render("help", {"groups": groups()})

    assert [name for name, verb in VERBS.items() if f"`{verb.typed}`" not in help_of_all.text] == []
    assert [name for name, verb in VERBS.items() if f"`{verb.typed}`" not in str(help_of_all.blocks)] == []
    assert "`/debrief help VERB`" in help_of_all.text
    assert "/review" not in help_of_all.text


WRONG = ["edit", "edit x y", "retime 3", "retime 3 soon", "drop", "outcome 3", "outcome 3 great", "invite ada", "owner"]
WRONG += [
    "scribe ada",
    "extend",
    "extend soon",
    "cancel",
    "publish general",
    "mitigated soon",
    "open from:3d It is slow",
]


@pytest.mark.parametrize("typed", WRONG)
def test_words_that_cannot_be_read_are_refused_with_a_sentence(typed: str):
    verb, rest = look_up(typed)

    with pytest.raises(Refused) as refused:
        verb.deed(rest)

    sentence = refused.value.sentence("/review")
    assert sentence.endswith((".", "?", "`"))
    assert "{" not in sentence


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.stem)
def test_every_button_types_a_verb_there_is_and_asks_where_that_cannot_be_taken_back(template: Path):
    for arguments in re.findall(r"button\((.*?)\)\s*(?:\}\}|~)", template.read_text()):
        named = re.match(r'.*?,\s*"([a-z-]*)"', arguments)
        if named is None or template.stem == "confirm":
            continue
        assert named[1] in {"", "help", *VERBS}, arguments
        assert named[1] not in ASKED or "confirm=" in arguments, arguments
