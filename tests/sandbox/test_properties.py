"""Whatever comes, the sandbox says what is wrong with it and does not fall over."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.block_kit import BLOCKS, ELEMENTS, TEXTS, Kind
from bot.sandbox.clock import VirtualClock
from bot.sandbox.manifest_rules import manifest_errors
from bot.sandbox.seed import fill
from bot.sandbox.typed import typed
from bot.sandbox.validation import blocks_errors, message_errors, options_errors, view_errors
from bot.sandbox.workspace import Channel, Workspace

TYPES = st.sampled_from([*BLOCKS, *ELEMENTS, *TEXTS, "modal", "home", "rich_text_section"])
WORDS = "type text fields elements element label accessory options option_groups blocks title submit close"
MORE_WORDS = "action_id block_id value confirm initial_option placeholder name features settings shortcuts bot_events"
KEYS = st.sampled_from([*WORDS.split(), *MORE_WORDS.split()])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), TYPES)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)


def _of_kind(kinds: dict[str, Kind], inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A block or element of some kind with the keys it may have, and anything in them."""
    return st.sampled_from(sorted(kinds)).flatmap(
        lambda kind: st.fixed_dictionaries(
            {"type": st.just(kind), **dict.fromkeys(sorted(kinds[kind].needs), inside)},
            optional=dict.fromkeys(sorted(kinds[kind].may), inside),
        )
    )


TEXT = st.fixed_dictionaries({"type": st.sampled_from(sorted(TEXTS)), "text": st.one_of(st.text(max_size=3), LEAVES)})
OPTIONS = st.lists(st.fixed_dictionaries({"text": TEXT, "value": LEAVES}), max_size=2)
ELEMENT = _of_kind(ELEMENTS, st.one_of(JSON, TEXT, OPTIONS))
BLOCK = _of_kind(BLOCKS, st.one_of(JSON, TEXT, ELEMENT, st.lists(st.one_of(TEXT, ELEMENT), max_size=2)))


@given(st.lists(BLOCK, max_size=3))
@settings(deadline=None, max_examples=300)
def test_any_blocks_get_an_answer(blocks: list[Any]):
    assert all(isinstance(error, str) for error in blocks_errors(blocks))


@given(st.one_of(JSON, st.builds(lambda blocks: {"type": "modal", "blocks": blocks}, st.lists(BLOCK, max_size=2))))
@settings(deadline=None, max_examples=200)
def test_any_view_message_or_manifest_gets_an_answer(value: Any):
    view_errors(value)
    options_errors(value)
    manifest_errors(value)
    if isinstance(value, dict):
        message_errors(value)


@given(st.text(alphabet=st.sampled_from("ab@#<>&;:/.| lenahtps!U0"), max_size=40))
@settings(deadline=None, max_examples=300)
def test_text_that_was_kept_once_stays_as_it_is(text: str):
    workspace = Workspace(VirtualClock())
    fill(workspace, None, bot_name="Debrief")

    once = typed(workspace, text)

    assert typed(workspace, once) == once


@given(st.lists(st.tuples(st.sampled_from(["post", "reply", "remove"]), st.integers(0, 30)), max_size=40))
@settings(deadline=None, max_examples=100)
def test_a_channel_always_knows_its_order_and_its_threads(deeds: list[tuple[str, int]]):
    channel, clock = Channel("C1", "x", "channel", "U1", 0), VirtualClock()

    for deed, place in deeds:
        ts = clock.next_ts()
        chosen = channel.order[place % len(channel.order)] if channel.order else ts
        if deed == "post":
            channel.add({"ts": ts})
        elif deed == "reply":
            parent = channel.messages.get(chosen, {"ts": ts})
            channel.add({"ts": ts, "thread_ts": parent.get("thread_ts", parent["ts"])})
        elif channel.order:
            channel.remove(chosen)

    assert channel.order == sorted(channel.messages)
    for parent in {m.get("thread_ts", m["ts"]) for m in channel.in_order()}:
        by_hand = [m for m in channel.in_order() if m.get("thread_ts") == parent and m["ts"] != parent]
        assert channel.replies(parent) == by_hand
