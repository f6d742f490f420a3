"""Who may write to Slack, and through what: a client that tries again by itself would say things twice."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from bot.sandbox.facts import methods

BOT = Path(__file__).parent.parent / "bot"
FAMILIES = {"bookmarks", "chat", "files", "pins", "reactions"}
WRITES = {
    name.replace(".", "_")
    for name, method in methods().items()
    if name.split(".")[0] in FAMILIES and method.verb == "POST"
}
WRITERS = {"posting.py", "gallery.py", "rereading.py"}
CLIENTS = {"WebClient", "AsyncWebClient", "WebhookClient", "AsyncWebhookClient"}
ONLY_LOOKS = {"doctor.py"}


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Every call in the source, with its file; the sandbox is another Slack, and no part of ours."""
    files = [path for path in BOT.rglob("*.py") if "sandbox" not in path.parts]
    return [(str(path.relative_to(BOT)), call) for path in files for call in _calls_in(path.read_text("utf-8"))]


def _calls_in(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def given(call: ast.Call) -> Mapping[str, str]:
    return {keyword.arg or "**": ast.unparse(keyword.value) for keyword in call.keywords}


def writers(of: list[tuple[str, ast.Call]]) -> set[str]:
    return {file for file, call in of if name_of(call) in WRITES}


def test_only_three_modules_write_to_slack():
    assert {"posting.py"} <= writers(calls()) <= WRITERS


def test_a_fourth_would_be_found():
    another = [("clock.py", call) for call in _calls_in("await self.edge.client.chat_postMessage(text='Hello')")]

    assert writers(another) == {"clock.py"}


def test_what_is_called_by_its_name_is_only_read():
    by_name = {(file, given(call).get("http_verb")) for file, call in calls() if name_of(call) == "api_call"}

    assert {file for file, verb in by_name if verb != "'GET'"} <= {"calling.py"}


def trying_again(of: list[tuple[str, ast.Call]]) -> set[str]:
    """What clients are made that try again by themselves, by what is around them."""
    made = [(file, call) for file, call in of if name_of(call) in CLIENTS and file not in ONLY_LOOKS]
    return {file for file, call in made if given(call).get("retry_handlers") != "[]"}


def test_one_client_tries_again_by_itself_and_is_only_given_to_who_reads():
    names = {ast.unparse(call.func) for _, call in calls() if _is_given_the_reader(call)}

    assert trying_again(calls()) == {"app.py"}
    assert names == {"Slack", "Porter"}


def _is_given_the_reader(call: ast.Call) -> bool:
    return "self.reads" in [ast.unparse(each) for each in (*call.args, *(keyword.value for keyword in call.keywords))]


@pytest.mark.parametrize("made", ["AsyncWebClient(token=token)", "WebClient()", "AsyncWebClient(retry_handlers=some)"])
def test_another_one_would_be_found(made: str):
    assert trying_again([("courier.py", call) for call in _calls_in(made)]) == {"courier.py"}


def test_what_the_reader_is_given_to_writes_nothing():
    assert writers([(file, call) for file, call in calls() if file in {"slack.py", "porter.py", "app.py"}]) == set()
