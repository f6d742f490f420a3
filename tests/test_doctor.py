"""The doctor: says what is wrong and how to mend it, and shows no secret."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import ONE_FOLDER, Finding, examine
from bot.manifest import manifest
from bot.sandbox.server import Running, in_thread
from storage import sweeping
from storage.models import Erasure, Incident, Message, MessageFile, Person, Source, Workspace
from storage.session import Storage, upgrade
from tests.mailboxes import post_office

SECRETS = {"SLACK_BOT_TOKEN": "xoxb-sandbox", "SLACK_APP_TOKEN": "xapp-sandbox", "SLACK_SIGNING_SECRET": "swordfish"}
Set = Callable[..., None]


@pytest.fixture(scope="module")
def slack() -> Iterator[Running]:
    with in_thread(manifest=manifest()) as running:
        yield running


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slack: Running) -> Set:
    """Settings of a healthy installation, with what a test changes."""
    for name in os.environ:
        if name.startswith(("SLACK_", "DEBRIEF_")):
            monkeypatch.delenv(name)

    def change(**settings: str | None) -> None:
        healthy = SECRETS | {"SLACK_API_URL": slack.api_url, "DEBRIEF_DATA_DIR": str(tmp_path)}
        for name, value in (healthy | settings).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    change()
    upgrade(f"sqlite:///{tmp_path / 'debrief.db'}")
    return change


async def wrong() -> list[tuple[str, str]]:
    return [(finding.what, finding.words) for finding in await examine() if not finding.well]


async def test_a_healthy_installation_is_found_so(given: Set):
    found = await examine()

    assert [finding for finding in found if not finding.well] == []
    assert {"settings", "database", "Slack", "scopes", "Socket Mode"} <= {finding.what for finding in found}
    assert Finding("scopes", True, "all there") in found


async def test_a_template_of_ones_own_that_fails_is_told_with_what_is_wrong(given: Set, tmp_path: Path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.md.j2").write_text("# {{ report.title }}\n{{ report.nothing }}")
    given(DEBRIEF_TEMPLATES=str(tmp_path))

    ((what, words),) = await wrong()

    why = "report.md.j2, line 2: UndefinedError: 'bot.review.written.Written object' has no attribute 'nothing'"
    assert (what, words) == ("template", f"report.md.j2 fails ({why}), so reports use ours instead.")


async def test_templates_of_ones_own_that_work_are_told(given: Set, tmp_path: Path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.md.j2").write_text("# {{ report.title }}")
    given(DEBRIEF_TEMPLATES=str(tmp_path))

    assert Finding("templates", True, f"those in {tmp_path} work") in await examine()


async def test_what_no_running_bot_will_sweep_is_told_with_the_command_that_does(
    given: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    storage = Storage(f"sqlite:///{tmp_path / 'debrief.db'}")
    with storage.write() as db:
        db.add(Erasure(team_id="T0SANDBOX", at=datetime.now(UTC)))
    storage.close()
    small = await wrong()
    monkeypatch.setattr(sweeping, "LARGE_BYTES", 1)

    [(what, words)] = await wrong()

    assert (small, what) == ([], "database file")
    assert "`debrief db sweep`" in words


async def test_every_setting_is_listed_and_no_secret(given: Set):
    given(DEBRIEF_DATABASE_URL="postgresql://debrief:swordfish@127.0.0.1:1/debrief")

    found = await examine()

    shown = "\n".join(f"{finding.what}: {finding.words}" for finding in found)
    assert "DEBRIEF_WORKING_HOURS: 09:00-17:00" in shown
    assert "DEBRIEF_LOOKUP_GRACE_S: 60" in shown
    assert not any(secret in shown for secret in SECRETS.values())


async def test_a_wrong_setting_is_named(given: Set):
    given(DEBRIEF_PORT="many")

    assert await wrong() == [("settings", "DEBRIEF_PORT cannot be used: give a port from 0 to 65535, such as 3000.")]


async def test_it_says_which_keys_of_the_policy_are_this_houses_own(given: Set, tmp_path: Path):
    policy = tmp_path / "policy.toml"
    policy.write_text("soak_days = 3\n[severities.sev3]\nreview = 'async'\n")

    by_default = {finding.what: finding.words for finding in await examine()}["policy"]
    given(DEBRIEF_POLICY=str(policy))
    own = {finding.what: finding.words for finding in await examine()}["policy"]

    assert by_default == "all by default"
    assert own == f"set in {policy}: severities.sev3.review, soak_days"


async def test_people_and_channels_of_the_policy_that_slack_does_not_know_are_named(
    given: Set, tmp_path: Path, slack: Running
):
    priya = next(user.id for user in slack.sandbox.workspace.users.values() if user.name == "priya")
    policy = tmp_path / "policy.toml"
    policy.write_text(f"escalation = ['{priya}', 'U0NOBODY']\n[sharing]\nchannels = ['C0NOWHERE']\n")
    given(DEBRIEF_POLICY=str(policy))

    assert await wrong() == [
        (
            "people of the policy",
            "Slack knows no such member as U0NOBODY: name somebody else in DEBRIEF_POLICY",
        ),
        (
            "channels of the policy",
            "the bot is not in C0NOWHERE, so no report goes there: invite it, or take them off",
        ),
    ]


async def test_a_policy_that_cannot_be_used_is_named_with_its_line(given: Set, tmp_path: Path):
    policy = tmp_path / "policy.toml"
    policy.write_text("\nsoak_days = -1\n")
    given(DEBRIEF_POLICY=str(policy))

    mend = "line 2 of policy.toml, soak_days: give working days from 0 to 30, such as 2"
    assert await wrong() == [("settings", f"DEBRIEF_POLICY cannot be used: {mend}.")]


async def test_without_a_token_the_rest_is_still_examined(given: Set):
    given(SLACK_BOT_TOKEN=None)

    assert [what for what, _ in await wrong()] == ["settings"]


@pytest.mark.parametrize(
    ("settings", "what", "words"),
    [
        ({"DEBRIEF_DATA_DIR": "/tmp"}, "schema", "debrief db upgrade"),
        ({"DEBRIEF_DATABASE_URL": "postgresql://u@127.0.0.1:1/d"}, "database", "check DEBRIEF_DATABASE_URL"),
        ({"SLACK_BOT_TOKEN": "xoxb-other"}, "Slack", "invalid_auth"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api/"}, "Slack", "check the network and SLACK_API_URL"),
        ({"SLACK_APP_TOKEN": "xapp-other"}, "Socket Mode", "give it connections:write"),
    ],
)
async def test_what_is_wrong_comes_with_its_mend(
    given: Set, tmp_path: Path, settings: dict[str, Any], what: str, words: str
):
    given(**{name: str(tmp_path / "new") if value == "/tmp" else value for name, value in settings.items()})

    found = dict(await wrong())

    assert set(found) == {what}
    assert words in found[what]


async def test_files_that_the_database_speaks_of_and_that_are_not_there_are_told(given: Set, tmp_path: Path):
    storage = Storage(f"sqlite:///{tmp_path / 'debrief.db'}")
    with storage.write() as db:
        message = Message(team_id="T0", channel_id="C0", ts="1.0", posted_at=datetime(2026, 11, 18, tzinfo=UTC))
        db.add(message)
        db.flush()
        for number, sha256 in enumerate(["a" * 64, "b" * 64, None]):
            db.add(MessageFile(team_id="T0", message_id=message.id, file_id=f"F{number}", sha256=sha256))
    storage.close()
    (tmp_path / "files" / "aa").mkdir(parents=True)
    (tmp_path / "files" / "aa" / ("a" * 64)).touch()

    one_gone = await wrong()
    (tmp_path / "files" / "bb").mkdir()
    (tmp_path / "files" / "bb" / ("b" * 64)).touch()
    found = await examine()

    folder = tmp_path / "files"
    assert one_gone == [("files", f"1 of 2 are not in {folder}: put that folder back from your backup")]
    assert Finding("files", True, f"2 in {folder}, 1 still to be fetched") in found


@pytest.mark.postgres
async def test_where_several_bots_may_use_the_database_they_are_told_to_share_the_folder(
    given: Set, postgresql_url: str
):
    on_sqlite = [finding.words for finding in await examine() if finding.what == "files"]
    given(DEBRIEF_DATABASE_URL=postgresql_url)

    on_postgresql = [finding.words for finding in await examine() if finding.what == "files"]

    assert [ONE_FOLDER in words for words in (*on_sqlite, *on_postgresql)] == [False, True]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (None, "Slack gives whole pages"),
        (15, "Create an app of your own, in your own workspace, from `debrief manifest`"),
    ],
)
async def test_a_limited_history_is_found_in_a_channel_that_is_followed(
    given: Set, tmp_path: Path, limit: int | None, words: str
):
    with in_thread(manifest=manifest()) as slack:
        given(SLACK_API_URL=slack.api_url)
        follow_a_channel(slack, tmp_path)
        if limit:
            slack.sandbox.faults.set({"history_limit": limit})

        found = {finding.what: finding for finding in await examine()}

    assert found["history"].well is (limit is None)
    assert words in found["history"].words


async def test_a_history_that_the_bot_saw_limited_is_told_without_a_channel_to_try(given: Set, tmp_path: Path):
    storage = Storage(f"sqlite:///{tmp_path / 'debrief.db'}")
    limited_at = datetime(2026, 11, 18, tzinfo=UTC)
    with storage.write() as db:
        db.add(Workspace(team_id="T0SANDBOX", mark_key="k", history_limited_at=limited_at))
    storage.close()

    assert [what for what, _ in await wrong()] == ["history"]


def follow_a_channel(slack: Running, folder: Path) -> None:
    """Twenty messages in a channel that an open incident is spoken of in."""
    channel = slack.sandbox.workspace.channel("incidents")
    for second in range(20):
        channel.add({"type": "message", "user": "U0PRIYA", "text": "x", "ts": f"17630000{second:02}.000100"})
    storage = Storage(f"sqlite:///{folder / 'debrief.db'}")
    with storage.write() as db:
        incident = Incident(team_id="T0SANDBOX", title="Slow", opened_at=datetime(2026, 11, 18, tzinfo=UTC))
        db.add(incident)
        db.flush()
        place = {"incident_id": incident.id, "channel_id": channel.id, "from_at": incident.opened_at}
        db.add(Source(team_id="T0SANDBOX", **place))
    storage.close()


AGAIN = "install the app again with the manifest of `debrief manifest`"


async def test_a_mail_server_that_lets_us_in_is_found_so(given: Set):
    async with post_office() as office:
        given(DEBRIEF_SMTP_URL=f"smtp+plain://127.0.0.1:{office.port}", DEBRIEF_MAIL_FROM="debrief@example.com")

        found = await examine()

    words = f"smtp+plain://127.0.0.1:{office.port} takes them from debrief@example.com"
    assert Finding("letters", True, words) in found
    assert office.letters == []


async def test_a_mail_server_that_does_not_is_told_without_its_password(given: Set, free_port: int):
    given(DEBRIEF_SMTP_URL=f"smtps://u:swordfish@127.0.0.1:{free_port}", DEBRIEF_MAIL_FROM="debrief@example.com")

    ((what, words),) = await wrong()

    assert (what, words) == (
        "letters",
        f"smtps://127.0.0.1:{free_port} does not let us in (SMTPConnectError): check DEBRIEF_SMTP_URL",
    )
    assert "swordfish" not in str(await examine())


async def test_a_calendar_that_cannot_be_read_is_told_without_its_address(given: Set, tmp_path: Path, free_port: int):
    a_person(tmp_path, email="mara@example.com")
    given(DEBRIEF_CALDAV_URL=f"http://127.0.0.1:{free_port}/{{email}}/", DEBRIEF_CALDAV_PASSWORD="swordfish")

    ((what, words),) = await wrong()

    assert what == "calendars"
    assert words.startswith("that of U0MARA cannot be read: it cannot be reached (")
    assert "swordfish" not in str(await examine())


async def test_calendars_are_not_tried_before_anybody_is_known(given: Set, tmp_path: Path, free_port: int):
    a_person(tmp_path, email=None)
    given(DEBRIEF_CALDAV_URL=f"http://127.0.0.1:{free_port}/{{email}}/")

    assert Finding("calendars", True, "nobody's e-mail address is known yet to try one with") in await examine()


def a_person(folder: Path, *, email: str | None) -> None:
    storage = Storage(f"sqlite:///{folder / 'debrief.db'}")
    with storage.write() as db:
        db.add(Person(team_id="T0SANDBOX", user_id="U0MARA", email=email))
    storage.close()


async def test_scopes_that_are_missing_are_named(given: Set):
    poor = manifest()
    poor["oauth_config"]["scopes"]["bot"].remove("reactions:write")
    with in_thread(manifest=poor) as slack:
        given(SLACK_API_URL=slack.api_url)

        found = await wrong()

    assert found == [
        ("scopes", f"missing reactions:write (tags are not confirmed): {AGAIN}"),
    ]
