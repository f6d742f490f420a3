"""canvases.*: kept as text, enough to write one and to refuse a wrong id."""

from __future__ import annotations

from typing import Any

from bot.sandbox.web_api.call import Call, Refused, answers

Json = dict[str, Any]


@answers("canvases.create")
def create(call: Call) -> Json:
    canvas_id = call.workspace.new_id("F")
    content = call.parsed("document_content") or {}
    call.workspace.canvases[canvas_id] = {"title": call.text("title"), "markdown": content.get("markdown", "")}
    return {"canvas_id": canvas_id}


@answers("canvases.edit")
def edit(call: Call) -> Json:
    canvas = _found(call)
    for change in call.parsed("changes") or []:
        markdown = change.get("document_content", {}).get("markdown", "")
        if change.get("operation") == "replace":
            canvas["markdown"] = markdown
        elif change.get("operation") == "insert_at_start":
            canvas["markdown"] = markdown + canvas["markdown"]
        else:
            canvas["markdown"] += markdown
    return {}


@answers("canvases.sections.lookup")
def sections_lookup(call: Call) -> Json:
    _found(call)
    return {"sections": []}


@answers("canvases.access.set")
def access_set(call: Call) -> Json:
    _found(call)
    return {}


@answers("canvases.delete")
def delete(call: Call) -> Json:
    _found(call)
    del call.workspace.canvases[call.text("canvas_id")]
    return {}


def _found(call: Call) -> Json:
    canvas = call.workspace.canvases.get(call.text("canvas_id"))
    if canvas is None:
        raise Refused("canvas_not_found")
    return canvas
