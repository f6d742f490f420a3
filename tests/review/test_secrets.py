import json
import socket
import time
from typing import Any, NoReturn

import pytest

from bot.review.pasted import in_message
from bot.review.secrets import find, label, replace
from tests.review import secrets_build_half, secrets_test_half

HALVES = pytest.mark.parametrize("half", [secrets_build_half, secrets_test_half], ids=["build", "test"])


@HALVES
def test_of_a_hundred_secrets_at_most_one_is_kept(half: Any) -> None:
    planted = half.secrets()

    kept = [one for one in planted if _is_kept(one.values, replace(one.text)[0])]

    assert len(planted) >= 300
    assert len({one.kind for one in planted}) >= 12
    assert len(kept) <= len(planted) / 100, [(one.kind, one.text) for one in kept]


@HALVES
def test_of_a_hundred_ordinary_lines_fewer_than_one_is_altered(half: Any) -> None:
    lines = half.ordinary()

    altered = [line for line in lines if replace(line) != (line, [])]

    assert len(lines) == 2_000
    assert len(altered) < len(lines) / 100, altered


def _is_kept(values: tuple[str, ...], text: str) -> bool:
    """Half a secret is one too."""
    return any(value[len(value) // 2 :] in text for value in values)


def test_the_measure_sees_a_secret_that_is_kept() -> None:
    planted = secrets_test_half.secrets()

    assert all(_is_kept(one.values, one.text) for one in planted)


def test_kind_and_place_of_a_secret_are_kept() -> None:
    token = _token()

    text, redactions = replace(f"restart with {token} and {token}")

    words = "[secret removed: GitHub token]"
    assert text == f"restart with {words} and {words}"
    assert redactions == [
        {"kind": "GitHub token", "offset": 13, "length": len(words)},
        {"kind": "GitHub token", "offset": 13 + len(words) + 5, "length": len(words)},
    ]
    assert all(text[one["offset"] :][: one["length"]] == label(one["kind"]) for one in redactions)


@HALVES
def test_what_was_replaced_holds_nothing_to_replace(half: Any) -> None:
    once = [replace(one.text)[0] for one in half.secrets()]

    assert [replace(text)[0] for text in once] == once


def test_only_the_password_of_an_address_goes() -> None:
    text, _ = replace(f"psql postgres://checkout:{PASSWORD}@db-1.internal:5432/orders?sslmode=require")

    assert text == "psql postgres://checkout:[secret removed: password]@db-1.internal:5432/orders?sslmode=require"


@pytest.mark.parametrize(
    "password", ["p/ss7word", "p@ss7word", "p#ss7?word", "p:ss7word", "p%40ss7word", "päss7wort", "ab&amp;cd7"]
)
def test_a_password_with_signs_in_it_goes_whole(password: str) -> None:
    text, _ = replace(f"postgres://checkout:{password}@db-1.internal/orders")

    assert text == "postgres://checkout:[secret removed: password]@db-1.internal/orders"


def test_the_invitation_to_a_call_stays_whole() -> None:
    link = "<https://example.zoom.us/j/85512345678?pwd=Qm9vY2h5TGFuZ2Vy8x.1|the call>"

    assert replace(link) == (link, [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("my pw: @@", "fluffyCat2026"),
        ("pw is @@", "fluffyCat2026"),
        ("pw = `@@`", "fluffyCat2026"),
        ("*pw:* @@", "fluffyCat2026"),
        ("PWD: @@", "fluffyCat2026"),
        ("db_pw=@@", "fluffyCat2026"),
        ("pass is @@, be quick", "fluffyCat2026"),
        ("the passphrase was @@.", "fluffyCat2026"),
        ("passwd is now @@", "fluffyCat2026"),
        ("the password for checkout-db is @@", "fluffyCat2026"),
        ("the password is @@", "correcthorse" + "batterystaple"),
        ("das Passwort ist jetzt @@", "fluffyCat2026"),
        ("Kennwort: @@", "fluffyCat2026"),
        ("das Kennwort lautet @@", "fluffyCat2026"),
        ("le mot de passe est @@", "fluffyCat2026"),
        ("la contraseña es @@", "fluffyCat2026"),
        ("a senha é @@", "fluffyCat2026"),
        ("пароль: @@", "fluffyCat2026"),
        ("the api key is @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("the API key for prod is: @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("*API key:* @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("apikey = @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("secret key: @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("access key was @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("token is @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
        ("our client secret is @@", "9f8e7d6c5b4a3928" + "1706f5e4d3c2b1a0"),
    ],
)
def test_a_secret_goes_that_a_sentence_calls_by_its_name(line: str, value: str) -> None:
    text, redactions = replace(line.replace("@@", value))

    assert len(redactions) == 1
    assert text == line.replace("@@", label(redactions[0]["kind"]))


@pytest.mark.parametrize(
    "line",
    [
        "token is expired",
        "the token is valid until 2026-11-18T14:00:00Z",
        "the last token was 2026-11-18T14:00:00Z",
        "the api key is missing",
        "the API key is in 1password, item checkout-4711",
        "api key: see OPS-4711",
        "the api key for prod is checkout-prod-2026",
        "pw reset for user 4711",
        "pw: ask ananya",
        "pw is 16-character at least",
        "the password is Base64-encoded in the secret",
        "password for user4711 is wrong",
        "secret: see vault",
        "secret is kv/checkout/prod2026",
        "the secret key is rotated every 30 days",
        "the access token is refreshed by checkout-auth-2",
        "the first pass was O(n^2), 14000ms",
        "the bypass is fluffyCat2026",
        "--- PASS: TestCheckoutRetries2 (0.03s)",
        "Passwort ist abgelaufen",
        "Passwort: Zurücksetzungsseite lädt nicht",
        "le mot de passe est incorrect",
        "the password is incorrect, error 401",
        "https://example.zoom.us/j/85512345678?pw=Qm9vY2h5TGFuZ2Vy8x",
    ],
)
def test_a_sentence_about_a_secret_stays(line: str) -> None:
    assert replace(line) == (line, [])


# Whole messages -------------------------------------------------------------------------------


PASSWORD = "Kanal-" + "7x9Q2m"


def _token() -> str:
    return "ghp" + "_" + "4fK9xQ2mTz" * 4


def test_a_secret_leaves_text_blocks_and_attachments_alike() -> None:
    token = _token()
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"use `{token}`"}}]
    attachments = [{"fallback": token, "fields": [{"title": token, "value": token}], "author_name": token}]

    parts = in_message(f"use `{token}`", blocks, attachments)

    assert token not in json.dumps([parts.text, parts.blocks, parts.attachments])
    assert parts.blocks == [{"type": "section", "text": {"type": "mrkdwn", "text": f"use `{label('GitHub token')}`"}}]
    assert [one["kind"] for one in parts.redactions] == ["GitHub token"]


def test_a_secret_outside_of_the_text_has_no_place_in_it() -> None:
    parts = in_message("", [{"type": "section", "text": {"type": "plain_text", "text": _token()}}])

    assert parts.redactions == ({"kind": "GitHub token", "offset": None, "length": None},)


def test_what_holds_no_secret_stays_what_it_is() -> None:
    blocks: list[Any] = [{"type": "rich_text", "elements": [{"type": "text", "text": "deploy"}]}]

    parts = in_message("deploy #42", blocks, None)

    assert parts.text == "deploy #42"
    assert parts.blocks is blocks
    assert parts.redactions == ()


def _rich(*elements: dict[str, Any]) -> list[Any]:
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}]


def test_a_secret_that_styles_cut_in_pieces_goes_whole() -> None:
    token = _token()
    pieces = (token[:9], token[9:20], token[20:])

    blocks = _rich(
        {"type": "text", "text": f"use {pieces[0]}"},
        {"type": "text", "text": pieces[1], "style": {"bold": True}},
        {"type": "text", "text": f"{pieces[2]} then"},
    )
    parts = in_message(f"use {pieces[0]}*{pieces[1]}*{pieces[2]} then", blocks)

    assert parts.blocks == _rich(
        {"type": "text", "text": f"use {label('GitHub token')}"},
        {"type": "text", "text": "", "style": {"bold": True}},
        {"type": "text", "text": " then"},
    )


def test_a_password_that_slack_took_for_an_address_of_mail_goes_from_the_link_too() -> None:
    address = f"{PASSWORD}@db-1.example.com"
    blocks = _rich(
        {"type": "text", "text": "postgres://checkout:"},
        {"type": "link", "url": f"mailto:{address}", "text": address},
        {"type": "text", "text": ":5432/orders"},
    )

    parts = in_message(f"postgres://checkout:<mailto:{address}|{address}>:5432/orders", blocks)

    assert PASSWORD not in json.dumps([parts.text, parts.blocks])


def test_an_ampersand_does_not_hide_a_password_from_the_blocks() -> None:
    blocks = _rich({"type": "text", "text": "it was ab&cd7xyz, see above"})

    parts = in_message("DB_PASSWORD=ab&amp;cd7xyz", blocks)

    assert "cd7xyz" not in json.dumps([parts.text, parts.blocks])


def test_a_plain_word_that_serves_as_password_stays_in_other_sentences() -> None:
    parts = in_message("postgres://checkout:checkout@db-1/orders is what checkout uses")

    assert parts.text == "postgres://checkout:[secret removed: password]@db-1/orders is what checkout uses"


@HALVES
def test_every_secret_leaves_the_blocks_of_its_message(half: Any) -> None:
    for planted in half.secrets():
        blocks = _rich({"type": "text", "text": planted.text})

        parts = in_message(planted.text, blocks, [{"text": planted.text, "fallback": planted.text}])

        left = json.dumps([parts.text, parts.blocks, parts.attachments])
        assert _is_kept(planted.values, left) == _is_kept(planted.values, replace(planted.text)[0]), planted


# What it takes ----------------------------------------------------------------------------------


def test_nobody_is_asked_about_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)

    found = [find(one.text) for one in secrets_test_half.secrets()]

    assert any(found)


EVERY_WORD = (
    "password token secret key :// curl basic bearer eyj private key akia xox sig= mysql redis-cli -- value: pass= "
)
HOSTILE = (
    "-----BEGIN RSA PRIVATE " + "KEY-----",
    "-----BEGIN ",
    "xoxb-",
    "a://b:",
    "a://b:c@d",
    "a://a:a:a:",
    "password=",
    'password: \\"',
    "AKIA" + "ABCDEFGHIJKLMNOP ",
    "AKIA" + "ABCDEFGHIJKLMNOP https://a:",
    "eyJaaaaaaaaa.",
    "eyJ",
    "eyJ_",
    "Bearer aaaaaaaaaaaaaaaa ",
    "Authorization: ",
    "basic aaaaaaaaaaaa ",
    "curl -u a:b ",
    "curl ",
    "redis-cli -",
    "mysql x -p1",
    "--a-",
    "name: A\nvalue: ",
    "the token for a is ",
    "pw of ",
    "mot de passe",
    "password=a&amp;b=",
    "postgres://u:<mailto:a@",
    "?sig=a",
    "https://a:b/",
    "a.a:",
    "a",
    "&gt;",
    " ",
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_four_times_the_text_costs_about_four_times_as_much(unit: str) -> None:
    line = EVERY_WORD + unit * (40_000 // len(unit) + 1)

    ratios = (_cost(line[:40_000]) / _cost(line[:10_000]) for _ in range(4))

    # Sixteen, were it to grow with the square.
    assert any(ratio < 8 for ratio in ratios)


def _cost(text: str) -> float:
    """Seconds of the processor, the lesser of two."""
    taken: list[float] = []
    for _ in range(2):
        began = time.process_time()
        find(text)
        taken.append(time.process_time() - began)
    return max(min(taken), 1e-4)
