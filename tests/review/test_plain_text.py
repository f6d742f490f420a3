import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.plain_text import of_typed, plain


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("rolling back now", "rolling back now"),
        ("a &lt;b&gt; &amp; c &amp;lt;", "a <b> & c &lt;"),
        ("<@U0MARA> and <@U0TOMAS|tomas>", "@U0MARA and @U0TOMAS"),
        ("see <#C0INC|inc-checkout> or <#C0OPS>", "see #inc-checkout or #C0OPS"),
        ("<!here> <!subteam^S0OPS|@ops> <!subteam^S0OPS>", "@here @ops @S0OPS"),
        ("<https://status.example.com|the status page>", "the status page"),
        ("<https://status.example.com/a?b=1&amp;c=2>", "https://status.example.com/a?b=1&c=2"),
        ("<mailto:ops@example.com|ops@example.com>", "ops@example.com"),
        ("since <!date^1763474400^{time}|14:00 UTC>", "since 14:00 UTC"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_markup_is_read_without_its_angles(typed: str, read: str):
    assert plain(typed) == read


def test_text_comes_before_blocks():
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "from a block"}}]

    assert plain("from the text", blocks) == "from the text"


def test_an_alert_without_text_is_read_from_its_blocks():
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "FIRING: checkout p99"}},
        {"type": "divider"},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "p99 is *2.4 s* on <https://g.example.com|graph>"},
            "fields": [{"type": "mrkdwn", "text": "region: eu"}],
        },
        {"type": "context", "elements": [{"type": "image", "alt_text": "pager"}, {"type": "mrkdwn", "text": "ops"}]},
    ]

    assert plain("", blocks) == "FIRING: checkout p99\np99 is *2.4 s* on graph\nregion: eu\npager ops"


def test_rich_text_keeps_its_lists_and_quotes():
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "user", "user_id": "U0MARA"}, {"type": "text", "text": " says "}],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": "drain"}]},
                        {"type": "rich_text_section", "elements": [{"type": "emoji", "name": "hammer"}]},
                    ],
                },
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "all good\nor not"}]},
            ],
        }
    ]

    assert plain("", blocks) == "@U0MARA says \n1. drain\n2. :hammer:\n> all good\n> or not"


def test_an_attachment_is_read_with_its_fields_and_its_fallback_only_where_it_says_nothing_else():
    attachments = [
        {"title": "Deploy 4711", "fields": [{"title": "by", "value": "<@U0TOMAS>"}], "fallback": "unseen"},
        {"fallback": "a graph"},
    ]

    assert plain("", None, attachments) == "Deploy 4711\nby: @U0TOMAS\na graph"


KEYS = st.sampled_from(["type", "text", "elements", "fields", "blocks", "title", "rows", "style", "value", "user_id"])
WORDS = st.sampled_from(["section", "rich_text", "rich_text_list", "table", "context", "image", "mrkdwn", "<", "<@U|>"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(JUNK, JUNK)
def test_junk_is_read_without_complaint(blocks: object, attachments: object):
    assert isinstance(plain("", blocks, attachments), str)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("waits &gt; 200 ms &amp; more", "waits > 200 ms & more"),
        ("ask <@U1|bob> in <#C1|general>", "ask <@U1> in #general"),
        ("see <https://example.com/a|the graph>", "see the graph"),
        ("&lt;!channel&gt;", "<!channel>"),
    ],
)
def test_what_is_typed_is_kept_as_it_was_meant_and_mentions_stay_mentions(typed: str, read: str):
    assert of_typed(typed) == read
