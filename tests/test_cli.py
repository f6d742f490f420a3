"""The command line, from outside the program: what it prints, and the status it ends with."""

import json
import logging
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from bot import erasing, opening
from bot.cli import main
from bot.desk import House, Turn
from bot.manifest import SCOPES
from bot.review.heard import ChannelFact
from bot.review.incident import ChannelFacts, ChannelId, TeamId, UserId
from bot.settings import Settings
from storage import channels, delivering, incidents, outbox, people, reviews, sweeping
from storage.models import Erasure
from storage.outbox import Words
from storage.poolers import UNUSABLE
from storage.session import Storage, only_one
from tests.canary import rows_with
from tests.pooler import pooled

TEAM = "T0SANDBOX"
SAMPLE = Path(__file__).parent.parent / "bot" / "sandbox" / "sample"
NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An installation of its own, and the root logger as it was."""
    for name in os.environ:
        if name.startswith(("SLACK_", "DEBRIEF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEBRIEF_DATA_DIR", str(tmp_path))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def debrief(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """The installation's database, upgraded."""
    debrief("db", "upgrade")
    storage = Storage(f"sqlite:///{tmp_path / 'debrief.db'}")
    yield storage
    storage.close()


def test_the_schema_is_brought_up_to_date_and_checked():
    before = debrief("db", "check")
    upgraded = debrief("db", "upgrade")
    after = debrief("db", "check")

    assert (before.exit_code, before.stderr) == (1, "The schema is not current: run debrief db upgrade.\n")
    assert (upgraded.exit_code, upgraded.stdout) == (0, "The schema is current.\n")
    assert (after.exit_code, after.stdout) == (0, "The schema is current.\n")


def test_a_database_of_any_size_is_swept_while_no_bot_runs(storage: Storage, tmp_path: Path):
    with storage.write() as db:
        db.add(Erasure(team_id=TEAM, at=NOW))

    with only_one(f"sqlite:///{tmp_path / 'debrief.db'}"):
        refused = debrief("db", "sweep")
    swept = debrief("db", "sweep")

    assert (refused.exit_code, "stop it first" in refused.stderr) == (2, True)
    assert (swept.exit_code, swept.stdout) == (0, "No trace of what was erased is left in the database.\n")
    with storage.read() as db:
        assert sweeping.waiting(db) == 0


def test_a_schema_that_differs_is_told(storage: Storage):
    with storage.write() as db:
        db.connection().exec_driver_sql("DROP TABLE gestures")

    checked = debrief("db", "check")

    assert checked.exit_code == 1
    assert "differs from what this version expects" in checked.stderr


def test_a_second_bot_on_a_file_is_refused_with_a_sentence_and_other_commands_go_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-sandbox")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-sandbox")

    with only_one(f"sqlite:///{tmp_path / 'debrief.db'}"):
        second = debrief("run")
        others = [debrief(*words.split()) for words in ("db upgrade", "db check", "outbox", "incidents")]

    assert second.exit_code == 2
    assert second.stderr == (
        f"Another debrief run uses {tmp_path / 'debrief.db'}: stop it first, "
        "or set DEBRIEF_DATABASE_URL to a PostgreSQL.\n"
    )
    assert [each.exit_code for each in others] == [0, 0, 0, 0]


@pytest.mark.postgres
def test_a_pooler_that_mixes_sessions_is_refused_at_the_start_and_named_by_the_doctor(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-sandbox")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-sandbox")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")

    with pooled(postgresql_url, "transaction") as url:
        monkeypatch.setenv("DEBRIEF_DATABASE_URL", url)
        started, examined = debrief("run"), debrief("doctor")

    assert (started.exit_code, examined.exit_code) == (2, 1)
    assert started.stderr == f"DEBRIEF_DATABASE_URL cannot be used: {UNUSABLE}.\n"
    assert f"NOT database: {UNUSABLE}" in examined.stdout


def test_a_schema_of_a_newer_version_is_left_alone(storage: Storage):
    with storage.write() as db:
        db.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '4242'")
        db.connection().exec_driver_sql("DELETE FROM fits")

    ended, checked = debrief("db", "upgrade"), debrief("db", "check")

    assert (ended.exit_code, checked.exit_code) == (2, 1)
    assert "revision 4242, which this version does not know" in ended.stderr
    assert checked.stderr == ended.stderr


def test_a_schema_of_a_newer_version_that_says_this_one_fits_counts_as_current(storage: Storage):
    with storage.write() as db:
        db.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '4242'")

    told = [debrief("db", "upgrade"), debrief("db", "check"), debrief("incidents")]

    assert [each.exit_code for each in told] == [0, 0, 0]


def test_a_backup_is_made_of_what_is_there(storage: Storage, tmp_path: Path):
    ended = debrief("db", "backup", str(tmp_path / "copy.db"))

    assert ended.exit_code == 0
    assert (tmp_path / "copy.db").stat().st_size > 0
    assert re.search(r"copy /\S+/files as well", ended.output)


@pytest.mark.usefixtures("storage")
def test_where_there_are_no_incidents_that_is_said():
    assert debrief("incidents").stdout == "There are no incidents yet.\n"
    assert json.loads(debrief("incidents", "--json").stdout) == []


@pytest.mark.usefixtures("storage")
def test_an_incident_that_is_not_there_is_told():
    ended = debrief("export", "inc-none")

    assert ended.exit_code == 2
    assert "`debrief incidents` lists those there are" in ended.stderr


def test_an_incident_is_exported_by_the_name_its_channel_has_and_by_the_one_it_had(storage: Storage):
    facts = ChannelFacts(channel=ChannelId("C0INC"), name="inc-1-checkout", created_at=NOW, members=(UserId("U0MARA"),))
    renamed = ChannelFact(channel="C0INC", at=NOW, name="inc-1-payments", how="renamed")
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
        turn = Turn(db, NOW, TeamId(TEAM), House())
        list(opening.open_by_itself(turn, channel_id=facts.channel, channel=facts))
        channels.keep_channel(db, TEAM, renamed)

    for name in ("inc-1-payments", "#inc-1-checkout", "C0INC"):
        assert debrief("export", name).exit_code == 0
    assert "inc-1-payments" in debrief("incidents", "--json").stdout


def test_an_imported_incident_is_as_it_was_entered():
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")

    ended = debrief("verify", "inc-2211-checkout-latency")

    lines = ended.stdout.splitlines()
    assert (ended.exit_code, lines[-1]) == (0, "Nothing was changed behind the program's back.")
    assert lines[0] == ("Incident 1, “Checkout latency”: 149 messages, 1 of them deleted or erased, with 148 wordings.")
    assert re.fullmatch(r"The witness: 1 book with 149 entries; it stands at [0-9a-f]{16}\.", lines[1])


def test_a_message_that_was_changed_behind_the_programs_back_is_named(tmp_path: Path):
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")
    with closing(sqlite3.connect(tmp_path / "debrief.db")) as database, database:
        channel, ts = database.execute("SELECT channel_id, ts FROM messages WHERE id = 20").fetchone()
        database.execute("UPDATE messages SET text = 'all is well' WHERE id = 20")

    ended = debrief("verify", "1")

    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[-2:] == [
        "NOT as it was entered, in 1 place:",
        f"- message {channel} {ts}: its words, its author, its place or its time were changed.",
    ]


def test_the_key_of_the_witness_is_told_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEBRIEF_WITNESS_KEY", "correct horse battery staple")
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")

    kept, doctor = debrief("verify", "1"), debrief("doctor")
    monkeypatch.setenv("DEBRIEF_WITNESS_KEY", "another horse, another battery")
    lost = debrief("verify", "1")
    monkeypatch.setenv("DEBRIEF_WITNESS_KEY", "horse")
    short = debrief("verify", "1")

    assert (kept.exit_code, lost.exit_code, short.exit_code) == (0, 1, 2)
    assert "Book 1 cannot be checked: the key it was written with is not at hand" in lost.stdout
    assert short.stderr == "DEBRIEF_WITNESS_KEY cannot be used: give at least 16 characters that nobody can guess.\n"
    assert not any("horse" in told for ended in (kept, lost, short, doctor) for told in (ended.stdout, ended.stderr))


@pytest.mark.usefixtures("storage")
def test_an_incident_that_is_not_there_cannot_be_verified():
    ended = debrief("verify", "inc-none")

    assert (ended.exit_code, "`debrief incidents` lists those there are" in ended.stderr) == (2, True)


def test_what_waits_is_listed_without_its_words(storage: Storage):
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
        outbox.say_once(db, TEAM, Words(key="k", channel="C0INC", text="the password is swordfish", at=NOW))

    ended = debrief("outbox")

    assert "C0INC" in ended.stdout
    assert ended.stdout.endswith("1 waiting.\n")
    assert "swordfish" not in ended.stdout


def test_it_is_told_why_each_note_waits_and_which_may_have_been_said(storage: Storage):
    arrange_an_outbox(storage)

    ended, listed = debrief("outbox"), json.loads(debrief("outbox", "--json").stdout)

    whys = [(row["why"], row["behind"], row["error"]) for row in listed]
    *lines, oldest, number = ended.stdout.splitlines()
    assert whys == [
        ("uncertain", None, "unknown"),
        ("behind", 1, None),
        ("later", None, None),
        ("told_to_wait", None, "ratelimited"),
    ]
    assert [line.split()[1] for line in lines] == [why for why, _, _ in whys]
    assert ("2 tries" in lines[0], "after 1" in lines[1], "until" in lines[2]) == (True, True, True)
    assert oldest == (
        "The oldest was written at 2026-11-18 14:00 UTC. 1 may have been said, and will be looked up first."
    )
    assert number == "4 waiting."


def arrange_an_outbox(storage: Storage) -> None:
    """One that may have been said, one behind it, one for later, and one that Slack put off."""
    ahead = datetime.now(UTC) + timedelta(days=30)
    arranged: list[tuple[str, str, dict[str, object]]] = [
        ("a", "C0INC", {"state": "sending", "error": "unknown", "attempts": 2, "attempted_at": NOW}),
        ("b", "C0INC", {}),
        ("c", "C0OTHER", {"not_before": ahead}),
        ("d", "C0THIRD", {"not_before": ahead, "error": "ratelimited", "attempts": 1}),
    ]
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
        for key, channel, more in arranged:
            a_note(db, key, channel, **more)


def a_note(db: Session, key: str, channel: str, **more: object) -> None:
    """A note, and what became of it."""
    outbox.say_once(db, TEAM, Words(key=key, channel=channel, text="hello", at=NOW))
    for name, value in more.items():
        setattr(outbox.find(db, TEAM, key), name, value)


def test_several_dead_notes_are_said_after_all_and_those_that_are_none_are_named(storage: Storage):
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
        for key in ("a", "b", "c"):
            a_note(db, key, f"C0{key}", state="dead", error="is_archived")

    ended = debrief("outbox", "--retry", "1", "--retry", "3", "--retry", "77", "--retry", "78")

    assert (ended.exit_code, "no dead note 77, 78" in ended.stderr) == (2, True)
    assert [row["id"] for row in json.loads(debrief("outbox", "--dead", "--json").stdout)] == [2]


def test_a_dead_note_is_said_after_all(storage: Storage):
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
        outbox.say_once(db, TEAM, Words(key="k", channel="C0INC", text="hello", at=NOW))
        note = delivering.claim(db, TEAM, now=NOW, at_most=1)[0]
        delivering.mark_dead(db, note.id, attempt=note.attempts, error="is_archived")

    dead = debrief("outbox", "--dead")
    debrief("outbox", "--retry", "1")
    missing = debrief("outbox", "--retry", "77")

    assert "is_archived" in dead.stdout
    assert debrief("outbox").stdout.endswith("1 waiting.\n")
    assert (missing.exit_code, "no dead note 77" in missing.stderr) == (2, True)


def test_the_manifest_is_json_and_its_reasons_stand_beside_it():
    ended = debrief("manifest", "--command", "debrief", "--http", "https://debrief.example.com")

    made = json.loads(ended.stdout)
    assert made["features"]["slash_commands"][0]["command"] == "/debrief"
    assert made["settings"]["socket_mode_enabled"] is False
    assert all(f"{scope}: " in ended.stderr for scope in SCOPES)


def test_two_ways_of_delivery_exclude_each_other():
    for command in ("manifest", "sandbox"):
        ended = debrief(command, "--socket", "--http", "https://debrief.example.com")

        assert (ended.exit_code, ended.stderr) == (
            2,
            "--socket and --http exclude each other: choose one way of delivery.\n",
        )


def test_a_seed_that_cannot_be_read_is_told(tmp_path: Path):
    (tmp_path / "seed.json").write_text("[")

    ended = debrief("sandbox", "--port", "0", "--seed", str(tmp_path / "seed.json"))

    assert ended.exit_code == 2
    assert ended.stderr.startswith("The sandbox cannot start: ")


def test_an_export_that_cannot_be_read_is_told(tmp_path: Path):
    ended = debrief("import", str(tmp_path / "none.zip"), "--channel", "general")

    assert ended.exit_code == 2
    assert len(ended.stderr.strip().splitlines()) == 1


def test_the_doctor_ends_with_1_where_something_is_wrong():
    ended = debrief("doctor")

    assert ended.exit_code == 1
    assert "NOT settings: SLACK_BOT_TOKEN is missing" in ended.stdout
    assert "run debrief db upgrade" in ended.stdout


def test_every_command_has_a_line_of_help():
    ended = debrief("--help")

    named = {"run", "demo", "sandbox", "db", "import", "incidents", "export", "verify", "outbox", "manifest", "doctor"}
    assert named <= set(main.commands)
    assert all(name in ended.stdout for name in named)
    assert all(command.help for command in main.commands.values())


def test_a_bad_export_leaves_the_database_alone(tmp_path: Path):
    done = debrief("import", str(tmp_path / "nothing"), "--channel", "inc")

    assert done.exit_code == 2
    assert not (tmp_path / "debrief.db").exists()


def test_a_backup_is_put_back_and_what_was_there_is_kept(storage: Storage, tmp_path: Path):
    copy = tmp_path / "monday.db"
    arrange_an_outbox(storage)
    debrief("db", "backup", str(copy))
    with storage.write() as db:
        people.know_workspace(db, "T0LATER", name="", url="", bot_user="", bot_id="", mark_key="k")
    storage.close()

    ended = debrief("db", "restore", str(copy))

    (aside,) = tmp_path.glob("debrief.db.before-*[0-9]")
    assert ended.exit_code == 0, ended.stderr
    assert str(aside) in ended.stdout
    assert "looked up in Slack before it is said, for seven days; 4 such notes wait now" in ended.stdout
    assert [workspaces(file) for file in (tmp_path / "debrief.db", aside)] == [[TEAM], ["T0LATER", TEAM]]
    assert debrief("db", "check").exit_code == 0


def workspaces(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return sorted(team for (team,) in database.execute("SELECT team_id FROM workspaces"))


def test_while_a_bot_runs_nothing_is_put_back(storage: Storage, tmp_path: Path):
    debrief("db", "backup", str(tmp_path / "monday.db"))
    storage.close()

    with only_one(f"sqlite:///{tmp_path / 'debrief.db'}"):
        refused = debrief("db", "restore", str(tmp_path / "monday.db"))

    assert (refused.exit_code, "stop it first" in refused.stderr) == (2, True)
    assert not list(tmp_path.glob("*before*"))


@pytest.mark.usefixtures("storage")
def test_what_is_no_whole_backup_of_ours_is_not_put_back(tmp_path: Path):
    debrief("db", "backup", str(tmp_path / "torn.db"))
    torn = bytearray((tmp_path / "torn.db").read_bytes())
    torn[len(torn) // 2 :] = b"\xff" * (len(torn) - len(torn) // 2)
    (tmp_path / "torn.db").write_bytes(torn)
    (tmp_path / "words.db").write_text("swordfish " * 1_000)
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "strange.db")) as database, database:
        database.execute("CREATE TABLE fish (name TEXT)")
    before = (tmp_path / "debrief.db").read_bytes()

    names = ("words", "empty", "strange", "torn", "none", "debrief")
    ended = [debrief("db", "restore", str(tmp_path / f"{name}.db")) for name in names]

    assert [each.exit_code for each in ended] == [2] * 6
    assert not any("Traceback" in each.output for each in ended)
    assert (tmp_path / "debrief.db").read_bytes() == before
    assert not [*tmp_path.glob("*before*"), *tmp_path.glob("*restoring*")]


def test_a_postgresql_is_brought_back_by_its_own_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DEBRIEF_DATABASE_URL", "postgresql://nobody@nowhere/none")

    refused = debrief("db", "restore", str(tmp_path / "monday.db"))

    assert (refused.exit_code, "run debrief db restored" in refused.stderr) == (2, True)


def test_a_backup_overwrites_nothing(tmp_path: Path, storage: Storage):
    copy = tmp_path / "copy.db"

    done = [debrief("db", "backup", str(copy)) for _ in range(2)]

    assert [one.exit_code for one in done] == [0, 2]
    assert "exists already" in done[1].output


# Erasing a person


@pytest.fixture
def mara(storage: Storage) -> str:
    """Somebody who is known and in a channel."""
    us = {"name": "", "url": "", "bot_user": "U0DEBRIEF", "bot_id": "B0DEBRIEF", "mark_key": "k"}
    with storage.write() as db:
        people.know_workspace(db, TEAM, **us)
        channels.know_members(db, TEAM, "C0INC", ["U0MARA"], now=NOW)
        people.know(db, TEAM, "U0MARA", name="Mara Lang", zone="UTC", email=None, bot=None, gone=None, now=NOW)
    return "U0MARA"


def test_erasing_asks_first_and_changes_nothing_without_an_answer(storage: Storage, mara: str):
    done = CliRunner().invoke(main, ["erase-user", mara], input="n\n")

    assert done.exit_code == 1
    assert "U0MARA is named in 2 rows" in done.output
    assert "Nothing was changed." in done.output
    assert "people.user_id" in rows_with(storage.engine, mara)


def test_erasing_says_what_it_did_and_the_second_time_that_nothing_is_left(storage: Storage, mara: str):
    first, second = debrief("erase-user", mara, "--yes"), debrief("erase-user", mara)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert re.fullmatch(
        r"U0MARA is “Someone [0-9A-F]{6}” from now on; one row was changed\.\n"
        r"No trace of them is left in the database\.\n"
        r"Backups made before still hold them\.\n",
        first.output,
    )
    assert second.output == "U0MARA was erased before, and nothing of them has come back.\n"
    assert rows_with(storage.engine, mara, "Mara Lang") == []


@pytest.mark.postgres
def test_on_postgresql_erasing_says_that_its_files_hold_the_words_until_they_are_vacuumed(postgresql_url: str):
    shared = Storage(postgresql_url)
    with shared.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="k")
        people.know(db, TEAM, "U0MARA", name="Mara", zone="UTC", email=None, bot=None, gone=None, now=NOW)

    settings = Settings()  # pyright: ignore[reportCallIssue]
    told = erasing.erase(settings, shared, erasing.look(shared, "U0MARA"), wait=lambda _seconds: None)
    shared.close()

    assert "until VACUUM" in told[-2]
    assert not any("No trace" in sentence for sentence in told)


def test_erasing_whom_nobody_knows_changes_nothing(storage: Storage):
    done = debrief("erase-user", "U0NOBODY")

    assert (done.exit_code, done.output) == (0, "Nothing is known of U0NOBODY, so there is nothing to erase.\n")
    assert rows_with(storage.engine, "UERASED") == []


@pytest.mark.parametrize("typed", ["u0nobody", "<@U0NOBODY>", "<@U0NOBODY|nobody>", " U0NOBODY "])
def test_whom_to_erase_may_be_typed_as_slack_shows_them(storage: Storage, typed: str):
    done = debrief("erase-user", typed)

    assert (done.exit_code, done.output) == (0, "Nothing is known of U0NOBODY, so there is nothing to erase.\n")


@pytest.mark.parametrize(("user", "why"), [("mara", "is no id of a user"), ("U0DEBRIEF", "is this bot itself")])
def test_what_cannot_be_erased_is_told(mara: str, user: str, why: str):
    done = debrief("erase-user", user, "--yes")

    assert done.exit_code == 2
    assert why in done.output
    assert mara not in done.output


def test_a_review_is_exported_as_a_page_and_its_actions_as_a_table():
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")

    page, table = (debrief("export", "1", "--format", form) for form in ("html", "csv"))

    assert page.stdout.startswith("<!doctype html>")
    assert "<title>Checkout latency · incident review</title>" in page.stdout
    assert table.stdout.startswith("number,action,owner,due,state")


def test_what_was_changed_in_an_exported_report_is_taken_in_or_named(storage: Storage, tmp_path: Path):
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")
    with storage.write() as db:
        incident = incidents.get(db, 1)
        incident.summary, reviews.of(db, incident).drafted_at = "Checkout was slow.", NOW
    file = tmp_path / "report.md"
    file.write_text(debrief("export", "1").stdout.replace("Checkout was slow.", "Checkout crawled."), encoding="utf-8")

    taken, again = debrief("edit", "1", str(file)), debrief("edit", "1", str(file))
    file.write_text("# Something else\n", encoding="utf-8")
    refused = debrief("edit", "1", str(file))

    assert taken.stdout == "the summary:\n- Checkout was slow.\n+ Checkout crawled.\n1 text was changed.\n"
    assert again.stdout == "0 texts were changed.\n"
    assert (refused.exit_code, "Line 1: “# Something else”" in refused.stderr) == (2, True)


def test_reports_name_nobody_where_roles_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    debrief("import", str(SAMPLE), "--channel", "inc-2211-checkout-latency")
    monkeypatch.setenv("DEBRIEF_REPORT_NAMES", "roles")
    named = re.compile(r"\b(tomasz|mirela|ifeoma|ananya|sinead|rafa)\b", re.IGNORECASE)

    pages = [debrief("export", "1", "--format", form).stdout for form in ("md", "html", "csv")]

    assert [named.findall(page) for page in pages] == [[], [], []]
    monkeypatch.delenv("DEBRIEF_REPORT_NAMES")
    assert named.search(debrief("export", "1", "--format", "json").stdout)


def test_a_run_that_is_stopped_while_it_starts_ends_well(monkeypatch: pytest.MonkeyPatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("bot.app.build", lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    try:
        ended = CliRunner().invoke(main, ["run"])
    finally:
        signal.signal(signal.SIGTERM, before)

    assert ended.exit_code == 0
