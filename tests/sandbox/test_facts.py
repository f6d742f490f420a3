"""The sandbox against its table of facts: what must be asked is asked, what may be answered is answered."""

import ast
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

import bot.sandbox.web_api
from bot.sandbox.facts import COMMON_ERRORS, methods
from bot.sandbox.server import Running
from bot.sandbox.web_api.call import HANDLERS
from bot.sandbox.web_api.serving import check_documented
from bot.sandbox.workspace import APP_TOKEN
from tests.sandbox.cast import refusal

SOURCES = sorted(Path(bot.sandbox.web_api.__path__[0]).glob("*.py"))
MISSING = {"invalid_arguments", "missing_argument", "missing_args"}
WITH_REQUIRED = sorted((name, arg) for name, method in methods().items() for arg in method.required)


def test_every_method_of_the_table_is_served():
    assert set(HANDLERS) == set(methods())


@pytest.mark.parametrize(("name", "arg"), WITH_REQUIRED)
async def test_a_required_argument_is_required(slack: Running, name: str, arg: str):
    token = APP_TOKEN if name == "apps.connections.open" else "xoxb-sandbox"
    client = AsyncWebClient(token=token, base_url=slack.api_url)
    others = {other: "x" for other in methods()[name].required if other != arg}

    answer = await refusal(client.api_call(name, params=others))

    assert answer["error"] in MISSING
    assert answer["response_metadata"]["messages"] == [f"[ERROR] missing required field: {arg}"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_an_error_that_a_handler_names_is_documented_for_its_method(source: Path):
    functions = {f.name: f for f in ast.parse(source.read_text()).body if isinstance(f, ast.FunctionDef)}

    undocumented = [
        (method, error)
        for name, function in functions.items()
        for method in _methods_of(function)
        for error in _errors_raised([functions[other] for other in _reached(functions, name)])
        if not methods()[method].may_answer(error)
    ]

    assert undocumented == []


def test_the_door_stops_an_error_that_is_not_documented():
    check_documented("chat.postMessage", "is_archived")

    with pytest.raises(AssertionError, match=r"chat\.postMessage does not document no_reaction"):
        check_documented("chat.postMessage", "no_reaction")


def test_common_errors_are_documented_everywhere():
    assert all(method.may_answer(error) for method in methods().values() for error in COMMON_ERRORS)


def _methods_of(function: ast.FunctionDef) -> list[str]:
    calls = [d for d in function.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) == "answers"]
    return [ast.literal_eval(call.args[0]) for call in calls]


def _reached(functions: dict[str, ast.FunctionDef], name: str) -> set[str]:
    """That function and those of its module that it calls, however far down."""
    reached, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        called = {n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)}
        waiting += sorted((called & set(functions)) - reached)
    return reached


def _errors_raised(functions: list[ast.FunctionDef]) -> list[str]:
    nodes = [node for function in functions for node in ast.walk(function)]
    raised = [n.exc for n in nodes if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    refused = [c for c in raised if ast.unparse(c.func) == "Refused" and isinstance(c.args[0], ast.Constant)]
    return [ast.literal_eval(call.args[0]) for call in refused]
