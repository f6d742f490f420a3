"""The virtual clock, the seeds, and the ways to start."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox.clock import VirtualClock, parse_moment
from bot.sandbox.seed import BadSeed
from bot.sandbox.server import in_thread, sandbox
from tests.sandbox.cast import People, client_of, visiting

Json = dict[str, Any]


async def test_the_clock_flows_from_where_it_was_put(people: People):
    await people.do("clock", now="2026-11-20T09:00:00Z")
    first = parse_moment((await people.see("clock"))["now"])
    await people.do("clock", advance_s=3600)
    second = parse_moment((await people.see("clock"))["now"])

    assert 0 <= (first - datetime(2026, 11, 20, 9, tzinfo=UTC)).total_seconds() < 5
    assert 3600 <= (second - first).total_seconds() < 3605


async def test_messages_carry_the_virtual_time(people: People):
    await people.do("clock", now="2030-01-01T00:00:00Z")

    assert (await people.say("happy new year")).startswith("1893456000.")


def test_timestamps_only_grow_even_when_the_clock_goes_back():
    clock = VirtualClock()

    stamps = [clock.next_ts() for _ in range(500)]
    clock.advance(-3600)
    stamps += [clock.next_ts() for _ in range(500)]

    assert stamps == sorted(set(stamps))


async def test_who_sleeps_can_be_stopped_in_the_moment_in_which_the_clock_is_moved():
    clock = VirtualClock()
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0.01)

    clock.advance(1)
    sleeper.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(sleeper, 60)


async def test_a_moment_without_a_zone_is_refused(people: People):
    assert (await people.do("clock", now="2026-11-20T09:00:00"))["error"].endswith("has no zone: end it with Z")
    assert (await people.do("clock"))["error"] == "give now or advance_s"


async def test_the_default_workspace_has_people_in_several_zones(people: People):
    state = await people.see("state")

    zones = {user.get("tz") for user in state["users"]}
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"} <= zones
    assert [c["name"] for c in state["channels"]] == ["general", "incidents", "support"]
    assert ["U0DEBRIEF" in c["members"] for c in state["channels"]] == [True, True, False]


async def test_a_seed_is_history_with_its_own_times(tmp_path: Path):
    messages = [
        {"user": "ada", "ts": "1763539200.000100", "text": "Mails are late", "reactions": {"eyes": ["ada"]}},
        {"user": "ada", "at": "2025-11-19T08:05:00Z", "text": "Found it", "thread_ts": "1763539200.000100"},
    ]
    seed = {
        "team": "Acme",
        "users": [{"name": "ada", "real_name": "Ada Moreau", "tz": "Europe/Paris"}],
        "channels": [{"name": "inc-12", "private": True, "messages": messages}],
    }
    (tmp_path / "seed.json").write_text(json.dumps(seed))

    async with sandbox(seed=tmp_path / "seed.json") as slack, visiting(slack.url) as people:
        history = (await client_of(slack).conversations_history(channel="C0INC12"))["messages"]
        log = await people.see("log")

    assert [(m["ts"], m["user"], m["reply_count"]) for m in history] == [("1763539200.000100", "U0ADA", 1)]
    assert history[0]["reactions"] == [{"name": "eyes", "users": ["U0ADA"], "count": 1}]
    assert log["deliveries"] == []


@pytest.mark.parametrize("form", ["folder", "zip"])
async def test_a_slack_export_is_read_from_a_folder_or_a_zip(tmp_path: Path, form: str):
    export = _export(tmp_path / "export")
    seed = export if form == "folder" else _zipped(export)

    async with sandbox(seed=seed) as slack:
        client = client_of(slack)
        history = (await client.conversations_history(channel="C77"))["messages"]
        thread = (await client.conversations_replies(channel="C77", ts="1763539200.000100"))["messages"]
        ada = (await client.users_info(user="U77"))["user"]
        graph = (await client.files_info(file="F77"))["file"]
        async with visiting(slack.url) as people:
            token = {"Authorization": "Bearer xoxb-sandbox"}
            async with people.session.get(graph["url_private"], headers=token) as response:
                content = await response.text()

    assert [m["text"] for m in history] == ["Mails are late"]
    assert [m["text"] for m in thread] == ["Mails are late", "On it"]
    assert (graph["name"], content) == ("a graph.csv", "12:00,9")
    assert (ada["real_name"], ada["tz"]) == ("Ada Moreau", "Europe/Paris")


async def test_the_people_of_an_exported_workspace_are_colleagues_here(tmp_path: Path):
    export = _export(tmp_path)
    ada, bea = ({"id": f"U7{number}", "name": f"p{number}", "team_id": "T0ACME"} for number in (7, 8))
    partner = {"id": "U79", "name": "partner", "team_id": "T0OTHER"}
    (export / "users.json").write_text(json.dumps([ada, partner, bea]))

    async with sandbox(seed=export) as slack:
        client = client_of(slack)
        here = (await client.auth_test())["team_id"]
        teams = [(await client.users_info(user=user))["user"]["team_id"] for user in ("U77", "U78", "U79")]

    assert teams == [here, here, "T0OTHER"]


async def test_a_seed_that_cannot_be_read_says_so(tmp_path: Path):
    (tmp_path / "seed.json").write_text("{")

    with pytest.raises(BadSeed, match="cannot be read"):
        async with sandbox(seed=tmp_path / "seed.json"):
            pass
    with pytest.raises(BadSeed, match="no Slack export"):
        async with sandbox(seed=tmp_path):
            pass


def test_it_runs_in_a_thread_for_code_without_a_loop():
    with in_thread(now=datetime(2026, 11, 20, 9, tzinfo=UTC)) as slack:
        me = WebClient(token="xoxb-sandbox", base_url=slack.api_url).auth_test()
        with urllib.request.urlopen(f"{slack.url}/_control/clock") as response:
            now = json.load(response)["now"]

    assert me["user_id"] == "U0DEBRIEF"
    assert now.startswith("2026-11-20T09:00:0")


def test_it_runs_alone_and_ends_when_told():
    with subprocess.Popen(
        [sys.executable, "-m", "bot.sandbox", "--port", "0", "--now", "2026-11-20T09:00:00Z"],
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}/_control/state") as response:
            state = json.load(response)
        program.send_signal(signal.SIGTERM)
        ended = program.wait(60)

    assert state["now"].startswith("2026-11-20T09:00:0")
    assert ended == 0


async def test_the_stream_tells_what_changed(people: People):
    async with people.session.get(f"{people.url}/_control/stream") as stream:
        await stream.content.readline()
        await people.say("x")
        await people.do("clock", advance_s=1)
        lines = [await stream.content.readline() for _ in range(4)]

    changes = [json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: ")]
    assert changes == [{"type": "message", "channel": "C0INCIDENTS"}, {"type": "clock"}]


async def test_the_log_can_be_read_from_a_number_on(people: People):
    await people.say("one")
    last = (await people.see("log"))["last"]
    await people.say("two")

    log = await people.see("log", since=str(last))

    assert [d["payload"]["event"]["text"] for d in log["deliveries"] if d["attempt"] == 0] == ["two"]


def _export(folder: Path) -> Path:
    (folder / "inc-77").mkdir(parents=True)
    profile = {"real_name": "Ada Moreau", "email": "ada@acme.example"}
    users = [{"id": "U77", "name": "ada", "tz": "Europe/Paris", "profile": profile}]
    channels = [{"id": "C77", "name": "inc-77", "created": 1763500000, "creator": "U77", "members": ["U77"]}]
    parent = {"type": "message", "user": "U77", "text": "Mails are late", "ts": "1763539200.000100"}
    graph = {"id": "F77", "name": "a graph.csv", "mimetype": "text/csv", "preview": "12:00,9"}
    parent |= {"thread_ts": "1763539200.000100", "files": [graph]}
    reply = {**parent, "text": "On it", "ts": "1763539260.000200", "files": []}
    for name, content in (("users", users), ("channels", channels), ("inc-77/2025-11-19", [parent, reply])):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def _zipped(export: Path) -> Path:
    target = export.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for path in export.rglob("*.json"):
            archive.write(path, path.relative_to(export.parent))
    return target
