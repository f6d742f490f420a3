import inspect
import string

import pytest

from bot.review import refusal
from bot.review.refusal import NoSuchTopic, NotInChannel, NotYours, Refused, TooFewMinutes, UnknownVerb

REFUSALS = [
    kind
    for _, kind in inspect.getmembers(refusal, inspect.isclass)
    if issubclass(kind, Refused) and kind is not Refused
]


def test_a_refusal_is_the_sentence_of_its_docstring_with_its_facts() -> None:
    said = NoSuchTopic(words="lunch", topics=("opening", "summary", "close")).sentence("/debrief")

    assert said == (
        "“lunch” is not on this agenda. `/debrief go` takes `opening`, `summary` or `close`, or the topic's number."
    )


def test_facts_are_kept_raw_and_escaped_only_where_they_are_shown() -> None:
    refused = UnknownVerb(verb="<!channel>", nearest=("next",))

    said = refused.sentence(escape=lambda text: text.replace("<", "&lt;").replace(">", "&gt;"))

    assert refused.facts == {"verb": "<!channel>", "nearest": ("next",)}
    assert said.startswith("I do not know “&lt;!channel&gt;”. Did you mean `next`?")


def test_braces_that_a_person_typed_are_shown_as_typed() -> None:
    said = UnknownVerb(verb="{verb.__class__}", nearest=()).sentence()

    assert said.startswith("I do not know “{verb.__class__}”.")


def test_an_unknown_verb_without_a_near_one_offers_only_the_help() -> None:
    said = UnknownVerb(verb="xyzzy").sentence()

    assert said == "I do not know “xyzzy”. `/review help` lists everything. Nothing was changed."


def test_of_words_that_go_on_and_on_only_the_beginning_is_quoted() -> None:
    said = UnknownVerb(verb="no" * 2500).sentence()

    assert f"“{'no' * 99}n…”" in said
    assert "no" * 100 not in said


def test_when_no_minute_can_be_had_none_is_offered() -> None:
    assert "`/review extend 4` takes them all" in TooFewMinutes(asked=9, can_have=4).sentence()
    assert "`/review extend" not in TooFewMinutes(asked=9, can_have=0).sentence()


def test_a_channel_without_the_bot_is_named_where_it_has_a_name() -> None:
    assert NotInChannel("C0GENERAL").sentence().startswith("I am not in <#C0GENERAL> yet.")
    assert NotInChannel("D0MARA").sentence().startswith("I am not in this channel yet.")


def test_a_verb_for_others_says_how_to_take_over_in_the_open() -> None:
    said = NotYours(who="the owner or the lead", verb="publish", role="owner").sentence()

    assert said.startswith("`/review publish` is for the owner or the lead. You may take over in the open with")
    assert "`/review owner @you`" in said


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_sentence_names_only_its_own_facts_and_the_command(kind: type[Refused]) -> None:
    places = {name for _, name, _, _ in string.Formatter().parse(inspect.cleandoc(kind.__doc__ or "")) if name}

    assert places <= set(getattr(kind, "__dataclass_fields__", ())) | {"command"}


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_sentence_is_calm_and_short(kind: type[Refused]) -> None:
    said = inspect.cleandoc(kind.__doc__ or "")

    assert said.endswith((".", "`."))
    assert "!" not in said
    assert len(said.split()) <= 45
    assert not {"invalid", "error", "failed", "illegal", "please"} & set(said.lower().split())
