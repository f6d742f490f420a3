"""Every control call has a curl in docs/sandbox.md, and each of them works as printed."""

import json
import re
from pathlib import Path
from typing import Any

from bot.sandbox.control import DEEDS
from tests.sandbox.cast import Bot, People, a_button, a_form, an_input, buttons, over_socket, plain, visiting
from tests.sandbox.test_interactions import answering, open_form

DOCS = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
DEED = re.compile(r"^    curl \$S/(\w+) -d '(.*)'$", re.MULTILINE)
LOOK = re.compile(r"^    curl \"?\$S/([^\s\"]+)\"?$", re.MULTILINE)
WITH_A_FORM = ("submit", "close")
NEEDING = (*WITH_A_FORM, "click", "suggest")


def test_every_deed_has_its_curl():
    assert {deed for deed, _ in DEED.findall(DOCS)} == set(DEEDS)


async def test_every_curl_does_what_it_says():
    failed = []

    async with over_socket() as (slack, bot), visiting(slack.url) as people:
        await bot.client.chat_postMessage(
            channel="C0INCIDENTS", text="x", blocks=buttons(a_button("review:next"), a_menu("service"))
        )
        bot.on["block_suggestion"] = answering(options=[{"text": plain("Checkout"), "value": "checkout"}])
        for deed, body in sorted(DEED.findall(DOCS), key=_socket_fault_last):
            answer = await _as_printed(people, bot, deed, body)
            if not answer["ok"] and "payload" not in body:
                failed.append((deed, body, answer))

    assert failed == []


async def test_every_look_shows_something(people: People):
    for path in LOOK.findall(DOCS):
        async with people.session.get(f"{people.url}/_control/{path}") as response:
            assert response.status == 200, path


async def test_without_anything_to_work_on_it_says_so(people: People):
    for deed in NEEDING:
        body = next(json.loads(body) for printed, body in DEED.findall(DOCS) if printed == deed)
        async with people.session.post(f"{people.url}/_control/{deed}", json=body) as response:
            assert response.status == 400, deed
            assert (await response.json())["error"], deed


def a_menu(action_id: str) -> dict[str, Any]:
    return {"type": "external_select", "action_id": action_id, "placeholder": plain("Choose")}


def _socket_fault_last(printed: tuple[str, str]) -> bool:
    return '"socket"' in printed[1]


async def _as_printed(people: People, bot: Bot, deed: str, body: str) -> Any:
    """One curl; TS is a fresh message of whoever acts (with a file to unshare), Ev0… an event that went out."""
    wish = json.loads(body)
    if wish.get("ts") == "TS":
        wish["ts"] = await _something(people, deed, wish)
        if deed in ("unreact", "unpin"):
            await people.do(deed.removeprefix("un"), **wish)
    if "event_id" in wish:
        said = await people.do("message", user="priya", channel="general", text="x")
        wish["event_id"] = said["event_ids"][0]
    if deed in WITH_A_FORM:
        await open_form(people, bot, a_form(an_input("title", "text")))
    answer = await people.do(deed, **wish)
    if deed == "fault":
        await people.do("fault", clear=True)
    return answer


async def _something(people: People, deed: str, wish: dict[str, Any]) -> str:
    if deed == "unshare":
        return (await people.do("upload", user=wish["user"], channel=wish["channel"], content="x"))["ts"]
    return await people.say("x", user=wish["user"], channel=wish["channel"])
