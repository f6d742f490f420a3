"""One ability for some of what can be typed after a verb, another for the rest: `summary` alone shows it."""

from collections.abc import Mapping

from bot import (
    assessing,
    checking,
    closing,
    convening,
    discussing,
    following_up,
    inviting,
    leading_through,
    listening,
    meeting_apart,
    offering,
    reporting,
    revising,
    rewriting,
    rotating,
    scheduling,
    sparing,
    tagging,
    tracking,
    walking,
    wording,
)
from bot.listeners import reading
from bot.listeners.deeds import Ability, Deed, Needs, What
from bot.review.refusal import UnknownFindingStep, UnknownPolicyWords, UnknownWay


def set_or_clear(what: What) -> Deed:
    return Deed(tracking.set_moment if "when" in what else tracking.clear_moment, what)


def set_or_show(what: What) -> Deed:
    return Deed(tracking.set_summary, what) if what["text"] else Deed(tracking.show_summary, {})


def set_or_ask(what: What) -> Deed:
    return Deed(tracking.set_severity, what) if what["words"] else Deed(assessing.show_severity, {})


def shortly_or_in_full(what: What) -> Deed:
    words = what["words"].lower()
    if words not in {"", "all"}:
        raise UnknownPolicyWords(words=words)
    return Deed(tracking.policy_in_full if words else tracking.policy, {})


def public_or_offer(what: What) -> Deed:
    return Deed(listening.make_public if what["confirmed"] else listening.offer_public, {}, needs=Needs.seen)


def keep_or_offer(what: What) -> Deed:
    if what.get("suggested"):
        return Deed(offering.keep_suggested, {})
    return Deed(offering.keep_candidates if what else offering.offer_candidates, what)


def show_or_offer(what: What) -> Deed:
    return Deed(offering.offer_candidates, {}) if what["every"] == "candidates" else Deed(tagging.show_timeline, what)


def schedule_or_lead(what: What) -> Deed:
    """`light next 3` as the button types it; a step that takes no number is given none."""
    if "apart" in what:
        return _apart(what)
    if "pressed" in what:
        return Deed(OFFERED[what["pressed"]], {name: value for name, value in what.items() if name != "pressed"})
    if "way" not in what:
        return Deed(scheduling.schedule, what)
    steps = WAYS[what["way"]]
    ability = steps.get(what["step"])
    if ability is None:
        raise UnknownWay(words=f"{what['way']} {what['step']}")
    return Deed(ability, {"seen": what["seen"]} if what["way"] == "light" and what["step"] else {})


def _apart(what: What) -> Deed:
    if what["apart"] == "end":
        return Deed(meeting_apart.end, {})
    if what["apart"] == "off":
        return Deed(meeting_apart.call_off, {"team": what["team"], "reason": what["reason"]})
    return Deed(meeting_apart.plan, {"team": what["team"], "when": what["when"]})


OFFERED: Mapping[str, Ability] = {"book": scheduling.choose, "instead": scheduling.meet_instead}
"""What a button does with the hour that it offers."""
WAYS: Mapping[str, Mapping[str, Ability]] = {
    "light": {
        "": leading_through.begin,
        "next": leading_through.advance,
        "back": leading_through.go_back,
        "stop": leading_through.stop,
        "close": leading_through.finish,
    },
    "async": {"": discussing.begin, "longer": discussing.prolong, "close": discussing.close},
}


def move_or_call_off(what: What) -> Deed:
    step = what.get("step")
    if step is None:
        return Deed(scheduling.postpone, what)
    return Deed(scheduling.call_off if step == "off" else scheduling.explain, {"reason": what["reason"]})


def tap_or_ask(what: What) -> Deed:
    return Deed(closing.tap, {"words": what["words"].lower()}) if what["words"] else Deed(closing.ask_pulse, {})


def name_or_answer(what: What) -> Deed:
    """Somebody named for a part, or what is answered by who was asked to take it."""
    match what.get("answer"):
        case None:
            return Deed(tracking.take_role, what)
        case "take":
            return Deed(rotating.take, {"role": what["role"]})
        case "pass":
            return Deed(rotating.pass_on, {"role": what["role"]})
        case "beside":
            return Deed(rotating.ask_beside, {})
        case answer:
            return Deed(rotating.sit_beside, {"answer": "taken" if answer == "sit" else "passed"})


def invite_or_answer(what: What) -> Deed:
    return Deed(convening.answer if "coming" in what else inviting.invite, what)


def choose_or_show_stops(what: What) -> Deed:
    return Deed(walking.choose_stops if "numbers" in what else walking.show_stops, what)


def read_or_edit(what: What) -> Deed:
    edits = what["form"].partition(" ")[0] == "edit"
    return Deed(rewriting.offer, {}) if edits else Deed(reporting.report, what)


def propose_or_move(what: What) -> Deed:
    if "number" not in what:
        return Deed(following_up.propose, what)
    if not what["step"]:
        return Deed(following_up.show, {"number": what["number"]}, needs=Needs.nothing)
    apart = ACTION_STEPS_APART.get(what["step"])
    if apart:
        return Deed(apart, {"number": what["number"], "words": what["text"]}, needs=Needs.nothing)
    return Deed(following_up.move, what, needs=Needs.nothing)


ACTION_STEPS_APART: Mapping[str, Ability] = {"worked": checking.answer, "snooze": sparing.snooze_action}


def show_or_change(what: What) -> Deed:
    number, step, text = what["number"], what["step"], what["text"]
    match step:
        case "edit":
            return Deed(revising.revise, {"number": number, "text": text})
        case "kind" | "sort":
            return Deed(revising.revise, {"number": number, str(step): text})
        case "of":
            return Deed(revising.revise, {"number": number, "event": reading.event_or_none(text)})
        case "merge":
            return Deed(revising.merge, {"number": number, "others": reading.numbers(text)})
        case "recurs":
            return Deed(revising.see_again, {"number": number, "earlier": next(iter(reading.numbers(text)), 0)})
        case _:
            ability = FINDING_STEPS.get(step)
            if ability is None:
                raise UnknownFindingStep(step=step, number=number)
            return Deed(ability, {"number": number})


FINDING_STEPS: Mapping[str, Ability] = {
    "": revising.show,
    "drop": revising.drop,
    "back": revising.take_back,
    "new": revising.see_as_new,
}


def about_wordings(what: What) -> Deed:
    """`on`, `off`, `keep`, or `use finding 3` as the button types it."""
    if "thing" in what:
        return Deed(wording.use, what)
    ability = {"off": wording.stop, "keep": wording.keep}.get(what["step"], wording.resume)
    return Deed(ability, {}, needs=Needs.nothing)
