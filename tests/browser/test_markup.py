"""What Slack's markup becomes on the page."""

import pytest
from playwright.sync_api import Page

from tests.browser.cast import IFEOMA, SUPPORT

MOMENT = 1_795_183_200  # 2026-11-20 14:00 UTC, 15:00 where Tomasz lives

MARKED = [
    ("*bold* and _slanted_ and ~gone~", "<strong>bold</strong> and <em>slanted</em> and <s>gone</s>"),
    ("*bold with _slanted_ in it*", "<strong>bold with <em>slanted</em> in it</strong>"),
    ("run `a*b*c` now", "run <code>a*b*c</code> now"),
    ("```\nif a < b:\n  *x*\n```", "<pre><code>if a &lt; b:\n  *x*</code></pre>"),
    ("one\ntwo\n\nthree", "one<br>two<br><br>three"),
    ("said:\n&gt; first\n&gt; second\nso", "said:<blockquote>first<br>second</blockquote>so"),
    ("&gt;&gt;&gt; all\nof it", "<blockquote>all<br>of it</blockquote>"),
    ("2 * 3 * 4, snake_case_name, a~b~c", "2 * 3 * 4, snake_case_name, a~b~c"),
    ("a &amp; b &lt;c&gt; &amp;lt;", "a &amp; b &lt;c&gt; &amp;lt;"),
    (":no_such_thing: at 12:30:45", ":no_such_thing: at 12:30:45"),
]


@pytest.mark.parametrize(("text", "html"), MARKED)
def test_marks_become_what_they_mean_and_stay_where_they_mean_nothing(reading: Page, text: str, html: str):
    assert _drawn(reading, text) == html


def test_people_channels_and_groups_are_shown_by_name(reading: Page):
    words = _words(reading, f"<@{IFEOMA}> in <#{SUPPORT}|old-name> with <!here> and <!subteam^S1|@oncall>")

    assert words == "@Ifeoma Adeyemi in #support with @here and @oncall"


def test_a_moment_is_told_in_the_zone_of_whoever_looks(reading: Page):
    words = _words(reading, f"<!date^{MOMENT}^{{date_num}} {{time}}|never>")

    assert words == "2026-11-20 15:00"


def test_a_pretty_date_near_today_is_said_as_a_person_would(reading: Page):
    tomorrow = 1_795_096_800

    assert _words(reading, f"<!date^{tomorrow}^{{date_short_pretty}} at {{time}}|never>") == "tomorrow at 15:00"


def test_only_addresses_of_the_web_become_links(reading: Page):
    drawn = _drawn(reading, "<https://example.com/?a=1&amp;b=2|here> <javascript:alert(1)|there> <data:text/html,x>")

    assert 'href="https://example.com/?a=1&amp;b=2"' in drawn
    assert drawn.endswith("here</a> there data:text/html,x")


def test_what_people_write_never_becomes_markup_of_the_page(reading: Page):
    drawn = _drawn(reading, "<img src=x onerror=alert(1)> *<b>* `<script>` &lt;script&gt;alert(1)&lt;/script&gt;")

    elements = reading.evaluate(
        "html => { const d = new DOMParser().parseFromString(html, 'text/html');"
        " return [...d.body.querySelectorAll('*')].map(n => n.localName) }",
        drawn,
    )
    assert elements == ["strong", "code"]


def _drawn(reading: Page, text: str) -> str:
    return reading.evaluate(
        """async (text) => {
            const { mrkdwn } = await import('/mrkdwn.js');
            const holder = document.createElement('div');
            holder.append(mrkdwn(text));
            return holder.innerHTML;
        }""",
        text,
    )


def _words(reading: Page, text: str) -> str:
    return reading.evaluate("async (text) => (await import('/mrkdwn.js')).words(text)", text)
