"""The policy file: every key that was promised, and one sentence, with line and key, for what cannot be used."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.policies import BadPolicy, keys, read
from bot.review.incident import ChannelId, Severity, UserId
from bot.review.policy import DEFAULT, Asked, Depth, Policy, Pool, Rates, Sharing

EXAMPLE = Path(__file__).parent.parent / "docs" / "policy.toml"
PEOPLE = 'give a list of Slack\'s ids of people, such as ["U024BE7LH"]'

WHOLE = """
pre_read_hours = 36
async_hours = 24
soak_days = 3
escalation = ["U0HEAD", "U0HEAD"]
[window_hours]
opens = 24
closes = 96
[severities]
sev3.review = "async"
unknown = {review = "light", minutes = 45}
[severities.sev2]
minutes = 75
briefing = true
private_question = false
[sharing]
people = ["U0READER"]
managers = ["W0BOSS"]
channels = ["C0LEARN", "G0INNER"]
[leaders]
groups = ["@leads"]
[facilitators]
groups = ["S0GUILD"]
people = ["U0ADA"]
[scribes]
people = ["U0BEA"]
[business]
Support = ["U0KIM"]
support = ["U0LEE", "U0KIM"]
[rates]
hour = 85
revenue_per_minute = 1200.5
currency = "USD"
"""

WRONG = [
    ("soak_dys = 3", "line 1 of policy.toml, soak_dys: there is no such key here; the nearest is soak_days"),
    (
        "[severities.sev1]\nlunch = 60",
        (
            "line 2 of policy.toml, severities.sev1.lunch: there is no such key here; "
            "those I know are review, minutes, briefing, private_question"
        ),
    ),
    (
        "# ours\n\n[severities.sev1]\nminutes = 5",
        "line 4 of policy.toml, severities.sev1.minutes: give minutes from 15 to 240, such as 60",
    ),
    (
        'severities.sev4.review = "later"',
        'line 1 of policy.toml, severities.sev4.review: give "full", "light", "async" or "none"',
    ),
    ("[severities.sev5]", "line 1 of policy.toml, severities.sev5: there is no such key here; the nearest is sev4"),
    ("soak_days = true", "line 1 of policy.toml, soak_days: give working days from 0 to 30, such as 2"),
    ("pre_read_hours = 24.5", "line 1 of policy.toml, pre_read_hours: give hours from 1 to 168, such as 24"),
    ('async_hours = "48"', "line 1 of policy.toml, async_hours: give hours from 4 to 336, such as 48"),
    (
        "[window_hours]\nopens = 48\ncloses = 60",
        (
            "line 1 of policy.toml, window_hours: "
            "let it close at least 24 hours after it opens, such as opens = 48 and closes = 72"
        ),
    ),
    ('soak_days = 2\nescalation = [\n  "U0HEAD",\n  "mara",\n]', f"line 2 of policy.toml, escalation: {PEOPLE}"),
    ('[business]\nsupport = "U0KIM"', f"line 2 of policy.toml, business.support: {PEOPLE}"),
    ("rates = 85", "line 1 of policy.toml, rates: give a table, begun by [rates]"),
    ("[rates]\nhour = nan", "line 2 of policy.toml, rates.hour: give an amount above 0, such as 85, or leave it out"),
    ('[rates]\ncurrency = "€"', 'line 2 of policy.toml, rates.currency: give three capital letters, such as "EUR"'),
    (
        '[sharing]\nchannels = ["#general"]',
        'line 2 of policy.toml, sharing.channels: give a list of Slack\'s ids of channels, such as ["C024BE91L"]',
    ),
    (
        '[scribes]\ngroups = ["two words"]',
        'line 2 of policy.toml, scribes.groups: give a list of user groups by handle or id, such as ["sre"]',
    ),
    ("soak_days = 2\n\nescalation = [", "line 3 of policy.toml is not TOML: invalid value"),
    ("soak_days = 2\nsoak_days = 3", "line 2 of policy.toml is not TOML: cannot overwrite a value"),
    ("soak_days = 2\nnul = \x00", "line 2 of policy.toml is not TOML: invalid value"),
    ("x = " + "[" * 30_000, "policy.toml is nested too deeply: a policy has tables and keys"),
    ("#" * 33_000, "policy.toml is larger than 32 kB: name a TOML file that holds a policy"),
]


def written(folder: Path, words: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(words, encoding="utf-8")
    return path


def leaves(policy: Policy) -> Policy:
    return replace(policy, given=frozenset())


def test_the_example_file_has_every_key_with_its_default():
    found = read(EXAMPLE)

    assert leaves(found) == DEFAULT
    assert {*keys()} - found.given == {"business", "rates.hour", "rates.revenue_per_minute"}
    assert all(f"{name} = " in EXAMPLE.read_text() for name in ("support", "# hour", "# revenue_per_minute"))


def test_an_empty_file_asks_for_what_is_asked_by_default(tmp_path: Path):
    assert read(written(tmp_path, "")) == DEFAULT


def test_every_key_is_read(tmp_path: Path):
    found = read(written(tmp_path, WHOLE))

    assert leaves(found) == Policy(
        severities={
            Severity.sev1: Asked(Depth.full, minutes=90, briefing=True, private_question=True),
            Severity.sev2: Asked(Depth.full, minutes=75, briefing=True),
            Severity.sev3: Asked(Depth.threads),
            Severity.sev4: Asked(Depth.none),
        },
        unknown=Asked(Depth.light, minutes=45),
        window=(timedelta(hours=24), timedelta(hours=96)),
        pre_read_lead=timedelta(hours=36),
        async_deadline=timedelta(hours=24),
        soak_days=3,
        sharing=Sharing((UserId("U0READER"),), (UserId("W0BOSS"),), (ChannelId("C0LEARN"), ChannelId("G0INNER"))),
        escalation=(UserId("U0HEAD"),),
        leaders=Pool(groups=("leads",)),
        facilitators=Pool(groups=("S0GUILD",), people=(UserId("U0ADA"),)),
        scribes=Pool(people=(UserId("U0BEA"),)),
        business={"support": (UserId("U0KIM"), UserId("U0LEE"))},
        rates=Rates(hour=85, revenue_per_minute=1200.5, currency="USD"),
    )


def test_it_is_known_which_keys_are_this_houses_own(tmp_path: Path):
    found = read(written(tmp_path, 'soak_days = 2\n[severities]\nsev3.review = "async"'))

    assert found.given == {"soak_days", "severities.sev3.review"}


@pytest.mark.parametrize(("words", "sentence"), WRONG)
def test_what_cannot_be_used_is_a_sentence_with_line_and_key(tmp_path: Path, words: str, sentence: str):
    with pytest.raises(BadPolicy) as wrong:
        read(written(tmp_path, words))

    assert str(wrong.value) == sentence


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("soak_days", 0, 30),
        ("pre_read_hours", 1, 168),
        ("async_hours", 4, 336),
        ("severities.sev1.minutes", 15, 240),
        ("window_hours.opens", 1, 48),
        ("window_hours.closes", 72, 720),
    ],
)
def test_the_least_and_the_most_that_is_named_may_be_given_and_nothing_beyond(
    tmp_path: Path, key: str, least: int, most: int
):
    for inside in (least, most):
        assert read(written(tmp_path, f"{key} = {inside}")).given == {key}
    for beyond in (least - 1, most + 1):
        with pytest.raises(BadPolicy, match=r"^line 1 of policy.toml, "):
            read(written(tmp_path, f"{key} = {beyond}"))


def test_of_several_wrong_keys_the_first_line_is_told(tmp_path: Path):
    with pytest.raises(BadPolicy, match=r"^line 2 of policy.toml, async_hours"):
        read(written(tmp_path, "soak_days = 1\nasync_hours = 1\n[severities.sev1]\nminutes = 1\n[rates]\nhour = 0"))


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path):
    latin = tmp_path / "policy.toml"
    latin.write_bytes("soak_days = 2\n# für".encode("latin-1"))

    with pytest.raises(BadPolicy, match=r"^line 2 of policy.toml is not UTF-8: save the file as UTF-8$"):
        read(latin)
    with pytest.raises(BadPolicy, match=r"none.toml cannot be read \(No such file or directory\): name a TOML file$"):
        read(tmp_path / "none.toml")


def test_a_mark_of_the_byte_order_is_no_part_of_it(tmp_path: Path):
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbfsoak_days = 4\n")

    assert read(path).soak_days == 4


@given(words=st.text(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_does_more_than_be_refused(tmp_path: Path, words: str):
    path = tmp_path / "policy.toml"
    path.write_bytes(words.encode("utf-8", "surrogatepass"))

    with suppress(BadPolicy):
        assert leaves(read(path)) == DEFAULT
