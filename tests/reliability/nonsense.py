"""Nonsense in Slack's clothes: what the sandbox really delivers, with something in it replaced, torn or packed."""

import gzip
import json
import random
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from bot.sandbox.driver import Driver

Json = dict[str, Any]
CANARY = "canary-7f3a"
"""A word in everything that people say here; it belongs into no log."""
JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"
TYPES = (
    JSON_TYPE,
    FORM_TYPE,
    "text/plain",
    "application/json; charset=klingon",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "x",
    ";;;",
)


# What is really delivered ------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A delivery of the sandbox's: events_api, slash_commands or interactive."""

    kind: str
    payload: Json


def recorded(driver: Driver) -> list[Sent]:
    """One delivery of each shape, of people who do a bit of everything in the sandbox."""
    _a_bit_of_everything(driver)
    shapes: dict[str, Sent] = {}
    for one in driver.get("log")["deliveries"]:
        payload = one["payload"]
        event = payload.get("event") or {}
        shape = [payload.get("type"), event.get("type"), event.get("subtype"), payload.get("command")]
        shape += [payload.get("callback_id"), (payload.get("view") or {}).get("callback_id")]
        shapes.setdefault(json.dumps(shape), Sent(one["kind"], payload))
    return list(shapes.values())


def _a_bit_of_everything(driver: Driver) -> None:
    name, priya = "inc-1-checkout", {"user": "priya", "channel": "inc-1-checkout"}
    driver.do("create", user="priya", name=name)
    driver.wait_for_words(name, "followed as an incident")
    driver.do("invite", user="priya", channel=name, users="tom")
    ts = driver.say("priya", name, f"it answers 503 {CANARY}")
    driver.say("tom", name, f"since 14:00 {CANARY}", thread_ts=ts)
    driver.do("edit", **priya, ts=ts, text=f"it answers 504 {CANARY}")
    driver.do("react", **priya, ts=ts, emoji="pushpin")
    driver.do("unreact", **priya, ts=ts, emoji="pushpin")
    driver.do("mention", **priya, text=f"event {CANARY}", thread_ts=ts)
    driver.type("priya", name, f"event it answers 503 {CANARY}")
    for form in ("event", "park", "impact", "action"):
        driver.type("priya", name, form)
        fields = {"owner": {"owner": "U0PRIYA"}} if form == "action" else {}
        text = {} if form == "impact" else {"text": {"text": f"a thing {CANARY}"}}
        driver.post("submit", user="priya", values=text | fields)
        driver.post("close", user="priya", all=True)
    driver.do("home", user="priya")
    for callback in ("add_to_timeline", "propose_action", "open_incident_here"):
        driver.do("shortcut", **priya, callback_id=callback, ts=ts)
        driver.post("submit", user="priya", values={"text": {"text": CANARY}, "title": {"title": CANARY}})
        driver.post("close", user="priya", all=True)
    driver.type("priya", name, f"cancel a false alarm {CANARY}")
    driver.press("priya", name, "^Keep|^No|^Leave|.")
    driver.do("delete", user="tom", channel=name, ts=driver.say("tom", name, f"a mistake {CANARY}"))
    driver.do("rename", **priya, name="inc-1-checkout-slow")
    driver.do("leave", user="tom", channel="inc-1-checkout-slow")


def pointed_at(url: str, sent: list[Sent]) -> list[Sent]:
    """The same deliveries, to be answered at this address of ours."""
    mine = {"response_url": f"{url}/api/response_url"}
    return [Sent(one.kind, one.payload | mine if "response_url" in one.payload else one.payload) for one in sent]


# Spoilt --------------------------------------------------------------------------------------


def _nested(depth: int) -> Any:
    inner: Any = CANARY
    for level in range(depth):
        inner = [inner] if level % 2 else {"elements": inner, "type": "rich_text"}
    return inner


NONSENSE: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1.5,
    10**30,
    10**300,
    float("nan"),
    float("inf"),
    2**63,
    "",
    "x",
    "0",
    "99999999999.9",
    "1" * 400,
    CANARY,
    f"{CANARY}\0\ud800\udfff\u202e\u0301",
    f"{CANARY} " * 4_000,
    "\U0001f525" * 50,
    "{}",
    "[]",
    '{"incident": "x", "text": 5}',
    "review:",
    "review:next:x",
    "C0INC",
    "U0PRIYA",
    [],
    [1],
    [[]],
    [None, {}],
    {},
    {"id": 1},
    {"id": []},
    {"type": 1},
    {"type": CANARY},
    {CANARY: {CANARY: [CANARY]}},
)


def spoil(whole: Any, dice: random.Random) -> None:
    """Replace or remove one thing somewhere inside."""
    while isinstance(whole, dict | list) and whole:
        key = dice.choice(list(whole) if isinstance(whole, dict) else range(len(whole)))
        if not isinstance(whole[key], dict | list) or not whole[key] or dice.random() < 0.25:
            if isinstance(whole, dict) and dice.random() < 0.2:
                del whole[key]
            elif dice.random() < 0.03:
                whole[key] = _nested(dice.choice((50, 200, 600)))
            else:
                whole[key] = deepcopy(dice.choice(NONSENSE))
            return
        whole = whole[key]


def spoilt(sent: list[Sent], dice: random.Random) -> Sent:
    """A delivery in which up to four things are wrong."""
    one = deepcopy(dice.choice(sent))
    if dice.random() < 0.7 and isinstance(one.payload.get("event"), dict):
        spoil(one.payload["event"], dice)
    for _ in range(dice.randrange(4)):
        spoil(one.payload, dice)
    return one


@dataclass(frozen=True)
class Request:
    """A request over HTTP, before anybody signed it; with `chunks` it is sent in pieces."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    chunks: bool = False


def requests(sent: list[Sent], dice: random.Random, number: int) -> Iterator[Request]:
    for _ in range(number):
        one = spoilt(sent, dice)
        body, content_type = _torn(*_encoded(one, dice), dice)
        headers = [("Content-Type", dice.choice(TYPES) if dice.random() < 0.1 else content_type)]
        if dice.random() < 0.05:
            body, encoding = _packed(body, dice)
            headers.append(("Content-Encoding", encoding))
        if dice.random() < 0.05:
            headers += [("X-Slack-Retry-Num", dice.choice(("1", "x", "-9" * 50))), ("x-slack-retry-num", "2")]
        yield Request(body, tuple(headers), chunks=dice.random() < 0.05)


def _encoded(one: Sent, dice: random.Random) -> tuple[bytes, str]:
    if one.kind == "events_api":
        return json.dumps(one.payload, ensure_ascii=dice.random() < 0.9).encode("utf-8", "surrogatepass"), JSON_TYPE
    if one.kind == "slash_commands":
        fields = [(key, _printed(value)) for key, value in one.payload.items()]
        return urlencode(fields + fields[: dice.randrange(2)]).encode(), FORM_TYPE
    return f"payload={quote_plus(json.dumps(one.payload))}".encode(), FORM_TYPE


def _printed(value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


def _torn(body: bytes, content_type: str, dice: random.Random) -> tuple[bytes, str]:
    kind = dice.randrange(20)
    if kind == 0:
        return dice.randbytes(dice.randrange(200)), content_type
    if kind == 1:
        return body[: dice.randrange(len(body) + 1)], content_type
    if kind == 2:
        at = dice.randrange(len(body) + 1)
        return body[:at] + dice.randbytes(3) + body[at + 3 :], content_type
    if kind == 3:
        return b'{"type":"event_callback","event":' + b"[" * 50_000, content_type
    return body, content_type


def _packed(body: bytes, dice: random.Random) -> tuple[bytes, str]:
    return dice.choice(
        [(gzip.compress(body), "gzip"), (zlib.compress(body), "deflate"), (body, "gzip"), (body, "br"), (body, "x")]
    )


# Over a socket -------------------------------------------------------------------------------


def frames(sent: list[Sent], dice: random.Random, number: int) -> Iterator[tuple[str, str]]:
    """What comes over a socket, with the id of the envelope that it may be."""
    for count in range(number):
        one, envelope = spoilt(sent, dice), f"e{dice.getrandbits(60):x}-{count}"
        frame: Json = {"envelope_id": envelope, "type": one.kind, "payload": one.payload}
        frame |= {"accepts_response_payload": one.kind != "events_api", "retry_attempt": 0, "retry_reason": ""}
        if dice.random() < 0.1:
            spoil(frame, dice)
        if frame.get("type") == "disconnect":
            continue
        text = json.dumps(frame)
        yield envelope, text[: dice.randrange(len(text))] if dice.random() < 0.05 else text
