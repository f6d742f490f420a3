"""Settings: the defaults that were promised, and one sentence for whatever cannot be used."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from bot.review.meeting_time import WorkingHours
from bot.settings import BadSettings, Settings, needed_to_run, read_settings

TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}

WRONG = [
    (
        {"DEBRIEF_POLICY": "/dev/null/policy.toml"},
        "DEBRIEF_POLICY cannot be used: /dev/null/policy.toml cannot be read (Not a directory): name a TOML file.",
    ),
    ({"SLACK_API_URL": "slack.com"}, "SLACK_API_URL cannot be used: give an address such as https://slack.com/api/."),
    (
        {"DEBRIEF_DATABASE_URL": "mysql://root@host/db"},
        (
            "DEBRIEF_DATABASE_URL cannot be used: "
            "give a URL such as sqlite:///debrief.db or postgresql://user@host/debrief."
        ),
    ),
    (
        {"DEBRIEF_DATABASE_URL": "not a url"},
        (
            "DEBRIEF_DATABASE_URL cannot be used: "
            "give a URL such as sqlite:///debrief.db or postgresql://user@host/debrief."
        ),
    ),
    (
        {"DEBRIEF_DATA_DIR": "/dev/null/data"},
        (
            "DEBRIEF_DATA_DIR cannot be used: /dev/null/data cannot be made (Not a directory). "
            "Name a folder you may write to."
        ),
    ),
    ({"DEBRIEF_PORT": "many"}, "DEBRIEF_PORT cannot be used: give a port from 0 to 65535, such as 3000."),
    ({"DEBRIEF_PORT": "70000"}, "DEBRIEF_PORT cannot be used: give a port from 0 to 65535, such as 3000."),
    ({"DEBRIEF_HOLIDAYS": "some"}, "DEBRIEF_HOLIDAYS cannot be used: give on or off."),
    (
        {"DEBRIEF_SMTP_URL": "mail.example.com", "DEBRIEF_MAIL_FROM": "debrief@example.com"},
        ("DEBRIEF_SMTP_URL cannot be used: give an address such as smtp://user:password@mail.example.com:587."),
    ),
    (
        {"DEBRIEF_SMTP_URL": "smtp+plain://u:p@mail.example.com", "DEBRIEF_MAIL_FROM": "debrief@example.com"},
        (
            "DEBRIEF_SMTP_URL cannot be used: "
            "smtp+plain would send the password for all to read: use smtp:// or smtps://."
        ),
    ),
    (
        {"DEBRIEF_SMTP_URL": "smtps://mail.example.com"},
        (
            "DEBRIEF_SMTP_URL needs DEBRIEF_MAIL_FROM: name the address in whose name invitations go, "
            "such as Debrief <debrief@example.com>."
        ),
    ),
    (
        {"DEBRIEF_MAIL_FROM": "Debrief"},
        "DEBRIEF_MAIL_FROM cannot be used: give an address such as Debrief <debrief@example.com>.",
    ),
    (
        {"DEBRIEF_MEETING_LINK": "javascript:alert(1)"},
        "DEBRIEF_MEETING_LINK cannot be used: give an address such as https://meet.example.com/review-{incident}.",
    ),
    (
        {"DEBRIEF_MEETING_LINK": "https://meet.example.com/{room}"},
        "DEBRIEF_MEETING_LINK cannot be used: give an address such as https://meet.example.com/review-{incident}.",
    ),
    (
        {"DEBRIEF_CALDAV_URL": "https://cal.example.com/mara/"},
        (
            "DEBRIEF_CALDAV_URL cannot be used: "
            "give the address of a calendar, with {email} or {user} in the place of its person."
        ),
    ),
    (
        {"DEBRIEF_CALDAV_URL": "http://cal.example.com/{email}/"},
        (
            "DEBRIEF_CALDAV_URL cannot be used: "
            "give an address that begins with https://, so that nobody on the way reads along."
        ),
    ),
    (
        {"DEBRIEF_CALDAV_URL": "https://bot:secret@cal.example.com/{email}/"},
        (
            "DEBRIEF_CALDAV_URL cannot be used: "
            "put the name and the password into DEBRIEF_CALDAV_USER and DEBRIEF_CALDAV_PASSWORD."
        ),
    ),
    (
        {"DEBRIEF_CALDAV_USER": "bot:secret"},
        (
            "DEBRIEF_CALDAV_USER cannot be used: "
            "a name has no colon in it; the password goes into DEBRIEF_CALDAV_PASSWORD."
        ),
    ),
    ({"DEBRIEF_CLOCK": "sundial"}, "DEBRIEF_CLOCK cannot be used: give system or slack."),
    (
        {"DEBRIEF_LOOKUP_GRACE_S": "-1"},
        "DEBRIEF_LOOKUP_GRACE_S cannot be used: give seconds from 0 to 3600, such as 60.",
    ),
    (
        {"DEBRIEF_WRITES_A_SECOND": "many"},
        "DEBRIEF_WRITES_A_SECOND cannot be used: give a number from 1 to 50, such as 4; 0 leaves the pace to Slack.",
    ),
    (
        {"DEBRIEF_COMMAND": "Review now"},
        "DEBRIEF_COMMAND cannot be used: give a slash command of lower-case letters, such as /review.",
    ),
    ({"DEBRIEF_WORKING_HOURS": "nine"}, "DEBRIEF_WORKING_HOURS cannot be used: give hours such as 09:00-17:00."),
    ({"DEBRIEF_ACTIONS": "later"}, "DEBRIEF_ACTIONS cannot be used: give as_they_surface or parked."),
    ({"DEBRIEF_RETENTION_DAYS": "0"}, "DEBRIEF_RETENTION_DAYS cannot be used: give a number of days, such as 365."),
    (
        {"DEBRIEF_CLOCK": "slack"},
        (
            "DEBRIEF_CLOCK=slack takes the time from a local Slack: point SLACK_API_URL at 127.0.0.1, "
            "or leave DEBRIEF_CLOCK out."
        ),
    ),
    (
        {"DEBRIEF_CLOCK": "slack", "SLACK_API_URL": "http://127.0.0.1.evil.example/api/"},
        (
            "DEBRIEF_CLOCK=slack takes the time from a local Slack: point SLACK_API_URL at 127.0.0.1, "
            "or leave DEBRIEF_CLOCK out."
        ),
    ),
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but those a test makes, in a folder of its own."""
    for name in os.environ:
        if name.upper().startswith(("SLACK_", "DEBRIEF_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def set_all(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def test_the_defaults_are_those_that_are_promised(tmp_path: Path):
    settings = read_settings()

    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.url == f"sqlite:///{tmp_path / 'data' / 'debrief.db'}"
    assert (settings.data_dir, settings.port, settings.clock, settings.lookup_grace_s) == (
        Path("data"),
        3000,
        "system",
        60,
    )
    assert settings.house().command == "/review"
    assert settings.house().working_hours == WorkingHours.read("09:00-17:00")
    assert dict(settings.house().emoji) == {"pushpin": "guess", "clipboard": "action"}
    assert settings.house().channel_pattern == "^inc-|^incident-"


def test_the_data_directory_is_made_for_its_owner_alone(tmp_path: Path):
    read_settings()

    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, {"DEBRIEF_PORT": "", "SLACK_APP_TOKEN": "", "DEBRIEF_EMOJI": ""})

    settings = read_settings()

    assert (settings.port, settings.app_token) == (3000, "")


@pytest.mark.parametrize(("given", "sentence"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_what_cannot_be_used_is_named_with_its_mend(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str
):
    set_all(monkeypatch, given)

    with pytest.raises(BadSettings) as wrong:
        read_settings()

    assert str(wrong.value) == sentence


def test_a_pattern_that_is_none_is_told_so(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, {"DEBRIEF_CHANNEL_PATTERN": "inc-("})

    with pytest.raises(BadSettings, match=r"^DEBRIEF_CHANNEL_PATTERN cannot be used: give a regular expression"):
        read_settings()


@pytest.mark.parametrize("given", ["pushpin", "pushpin=surprise", "=note", " , "])
def test_emoji_that_mean_nothing_are_told_what_they_may_mean(monkeypatch: pytest.MonkeyPatch, given: str):
    set_all(monkeypatch, {"DEBRIEF_EMOJI": given})

    with pytest.raises(BadSettings, match=r"^DEBRIEF_EMOJI cannot be used: give pairs such as pushpin=guess"):
        read_settings()


@pytest.mark.parametrize(("given", "is_free"), [("on", True), ("off", False), ("", True)])
def test_holidays_are_known_unless_nobody_wants_them(monkeypatch: pytest.MonkeyPatch, given: str, *, is_free: bool):
    monkeypatch.setenv("DEBRIEF_HOLIDAYS", given)
    christmas = date(2026, 12, 25)

    house = Settings().house()  # pyright: ignore[reportCallIssue]

    assert (christmas in house.days_off("Europe/Berlin", christmas).holidays) == is_free


def test_emoji_are_read_with_or_without_colons(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, {"DEBRIEF_EMOJI": ":pushpin:=guess, scales=decision"})

    assert dict(read_settings().emoji) == {"pushpin": "guess", "scales": "decision"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_time_may_be_taken_from_a_slack_on_this_machine(monkeypatch: pytest.MonkeyPatch, host: str):
    set_all(monkeypatch, {"DEBRIEF_CLOCK": "slack", "SLACK_API_URL": f"http://{host}:4040/api"})

    assert read_settings().control_url == f"http://{host}:4040/_control/clock"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "SLACK_BOT_TOKEN is missing"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN is missing"),
        ({"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1"}, "are swapped"),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-2"},
            "SLACK_APP_TOKEN cannot be used: it is a bot",
        ),
        ({"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xapp-2"}, "SLACK_BOT_TOKEN cannot be used: it is an app"),
    ],
)
def test_what_run_needs_is_asked_for(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], named: str):
    set_all(monkeypatch, given)

    with pytest.raises(BadSettings, match=named):
        needed_to_run(read_settings())


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, TOKENS | {"SLACK_SIGNING_SECRET": "swordfish"})
    settings = Settings()  # pyright: ignore[reportCallIssue]

    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"

    assert (settings.bot_token, settings.signing_secret) == ("xoxb-1", "swordfish")
    assert not any(secret in shown for secret in ("xoxb-1", "xapp-1", "swordfish"))


def test_the_password_of_calendars_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    given = {"DEBRIEF_CALDAV_URL": "https://cal.example.com/{email}/calendar/", "DEBRIEF_CALDAV_PASSWORD": "swordfish"}
    set_all(monkeypatch, given)

    settings = read_settings()

    assert settings.caldav_secret == "swordfish"
    assert "swordfish" not in f"{settings!r} {settings.model_dump_json()}"
    assert settings.house().calendars == "on"


def test_the_password_of_the_mail_server_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    given = {
        "DEBRIEF_SMTP_URL": "smtp://bot:swordfish@mail.example.com",
        "DEBRIEF_MAIL_FROM": "Debrief <debrief@example.com>",
    }
    set_all(monkeypatch, given)

    settings = read_settings()

    assert settings.mail
    assert settings.mail[0].password == "swordfish"
    assert "swordfish" not in f"{settings!r} {settings.model_dump_json()} {settings.mail!r} {settings.house()}"
    assert settings.house().letters_from == "debrief@example.com"


def test_no_letter_is_sent_unless_somebody_names_a_mail_server(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, {"DEBRIEF_MAIL_FROM": "debrief@example.com"})

    settings = read_settings()

    assert (settings.mail, settings.house().letters_from) == (None, "")


def test_no_calendar_is_read_unless_somebody_says_where_they_lie():
    assert read_settings().house().calendars == "off"


def test_the_password_of_a_database_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    set_all(monkeypatch, {"DEBRIEF_DATABASE_URL": "postgresql://debrief:swordfish@db/debrief"})

    assert "swordfish" not in repr(read_settings())


# From outside -------------------------------------------------------------------------------


OUTSIDE = [
    (("run",), {}, "SLACK_BOT_TOKEN is missing"),
    (("run",), {**TOKENS, "DEBRIEF_PORT": "many"}, "DEBRIEF_PORT cannot be used"),
    (("run",), {**TOKENS, "DEBRIEF_POLICY": __file__}, "DEBRIEF_POLICY cannot be used: line 1 of test_settings.py"),
    (
        ("run",),
        {**TOKENS, "DEBRIEF_DATABASE_URL": "sqlite:////nowhere/at/all.db"},
        "DEBRIEF_DATABASE_URL cannot be used",
    ),
    (("run",), {**TOKENS, "DEBRIEF_DATABASE_URL": "postgresql://u:swordfish@127.0.0.1:1/d"}, "DEBRIEF_DATABASE_URL"),
    (("db", "upgrade"), {"DEBRIEF_DATABASE_URL": "mysql://host/db"}, "DEBRIEF_DATABASE_URL cannot be used"),
    (
        ("db", "upgrade"),
        {"DEBRIEF_DATABASE_URL": "sqlite:////nowhere/at/all.db"},
        "DEBRIEF_DATABASE_URL cannot be used",
    ),
    (("db", "backup", "copy.db"), {}, "There is no database at"),
]


@pytest.mark.parametrize(("words", "given", "named"), OUTSIDE, ids=[" ".join([*w, *g]) for w, g, _ in OUTSIDE])
def test_from_outside_it_is_one_sentence_and_status_2(
    tmp_path: Path, words: tuple[str, ...], given: dict[str, str], named: str
):
    ended = subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parent.parent), **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    assert named in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr
    assert "swordfish" not in ended.stderr
