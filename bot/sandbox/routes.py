"""The one port of a sandbox: Web API, files, response URLs, Socket Mode, control and the page."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox import control
from bot.sandbox.acting import Impossible
from bot.sandbox.faults import BadFault
from bot.sandbox.house import Sandbox
from bot.sandbox.responding import serve_response
from bot.sandbox.selections import CannotChoose
from bot.sandbox.web_api.serving import serve_call
from bot.sandbox.workspace import BOT_TOKEN, NotThere

Json = dict[str, Any]

SANDBOX = web.AppKey("sandbox", Sandbox)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NO_PAGE = (
    "The sandbox is running; its page is not part of this installation. See docs/sandbox.md for its control calls."
)
MOST_BYTES = 64 * 1024 * 1024
KEEP_ALIVE_S = 15.0
CLOSING = "closing"
SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to your workspace</body></html>"


def application(sandbox: Sandbox) -> web.Application:
    app = web.Application(middlewares=[_at_home], client_max_size=MOST_BYTES)
    app[SANDBOX] = sandbox
    app.router.add_route("*", "/api/{method}", _api)
    app.router.add_get("/_socket/{ticket}", _socket)
    app.router.add_post("/_response/{key}", _response)
    app.router.add_route("*", "/files/upload/{file}", _take_upload)
    app.router.add_get("/files/{file}/{name}", _give_file)
    app.router.add_get("/_control/stream", _stream)
    app.router.add_get("/_control/{what}", _see)
    app.router.add_get("/_control/{what}/{name}", _see)
    app.router.add_post("/_control/{deed}", _do)
    app.router.add_get("/{path:.*}", _page)
    app.on_shutdown.append(_end_streams)
    return app


@web.middleware
async def _at_home(request: web.Request, handler: Any) -> web.StreamResponse:
    """Nothing answers another site's page; control and page answer only this machine."""
    origin = request.headers.get("Origin")
    if (origin and urlsplit(origin).netloc != request.host) or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.json_response({"ok": False, "error": "the sandbox answers no other site's page"}, status=403)
    if request.path.startswith(("/api/", "/_socket/", "/_response/", "/files/")):
        return await handler(request)
    if urlsplit(f"//{request.host}").hostname not in LOOPBACK or (request.remote or "") not in LOOPBACK:
        return web.json_response({"ok": False, "error": "the control is for this machine only"}, status=403)
    return await handler(request)


async def _api(request: web.Request) -> web.StreamResponse:
    return await serve_call(request.app[SANDBOX], request)


async def _socket(request: web.Request) -> web.StreamResponse:
    return await request.app[SANDBOX].sockets.serve(request)


async def _response(request: web.Request) -> web.StreamResponse:
    return await serve_response(request.app[SANDBOX], request)


async def _take_upload(request: web.Request) -> web.Response:
    """The bytes of an upload, raw or as a form's file."""
    stored = request.app[SANDBOX].workspace.files.get(request.match_info["file"])
    if stored is None or stored.content is not None:
        return web.Response(status=404, text="no such upload")
    if request.content_type.startswith("multipart/"):
        parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
        stored.content = parts[0].file.read() if parts else b""
    else:
        stored.content = await request.read()
    return web.Response(text=f"OK - {len(stored.content)}")


async def _give_file(request: web.Request) -> web.Response:
    """A file's bytes, with the bot's token; the sandbox's own page needs none."""
    stored = request.app[SANDBOX].workspace.files.get(request.match_info["file"])
    sandbox = request.app[SANDBOX]
    authorised = request.headers.get("Authorization") == f"Bearer {BOT_TOKEN}" and not sandbox.token_revoked
    authorised = authorised and sandbox.manifest.may(("files:read",))
    own_page = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if not authorised and not own_page:
        return _to_the_door(request)
    if stored is None or stored.content is None:
        return web.Response(status=404, text="no such file")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return web.Response(body=stored.content, content_type=stored.fields["mimetype"], headers=headers)


def _to_the_door(request: web.Request) -> web.Response:
    """Slack does not refuse: it leads a stranger to the page where one signs in, and shows it to a wrong token."""
    if "Authorization" in request.headers:
        return web.Response(text=SIGN_IN, content_type="text/html")
    return web.Response(status=302, headers={"Location": "https://sandbox.slack.com/?redir=files"})


async def _do(request: web.Request) -> web.Response:
    deed = control.DEEDS.get(request.match_info["deed"])
    if deed is None:
        known = ", ".join(sorted(control.DEEDS))
        return web.json_response({"ok": False, "error": f"unknown deed; there are {known}"}, status=404)
    return await _answered(request, deed)


async def _answered(request: web.Request, deed: control.Deed) -> web.Response:
    try:
        wish = json.loads(await request.text() or "{}")
        return web.json_response(await deed(request.app[SANDBOX], wish))
    except (Impossible, CannotChoose, NotThere, BadFault) as refusal:
        return web.json_response({"ok": False, "ack_ms": None, "answer": None, "error": str(refusal)}, status=400)
    except KeyError as missing:
        error = f"say {missing.args[0]}"
        return web.json_response({"ok": False, "ack_ms": None, "answer": None, "error": error}, status=400)
    except ValueError as problem:
        return web.json_response({"ok": False, "ack_ms": None, "answer": None, "error": str(problem)}, status=400)


async def _see(request: web.Request) -> web.Response:
    try:
        return web.json_response(_seen(request))
    except NotThere as nothing:
        return web.json_response({"ok": False, "error": str(nothing)}, status=404)


def _seen(request: web.Request) -> Json:
    sandbox, what = request.app[SANDBOX], request.match_info["what"]
    name = request.match_info.get("name", "")
    if what == "clock":
        return control.see_clock(sandbox)
    if what == "state":
        return control.see_state(sandbox)
    if what == "log":
        return sandbox.journal.since(int(request.query.get("since", "0")))
    if what == "messages":
        return control.see_messages(sandbox, name, request.query.get("user", ""))
    if what == "views":
        return control.see_views(sandbox, name)
    if what == "home":
        return control.see_home(sandbox, name)
    raise NotThere("thing", what)


async def _stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one small JSON for each change."""
    stream = request.app[SANDBOX].stream
    queue = stream.listen()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    try:
        await response.prepare(request)
        await response.write(b": hello\n\n")
        while (change := await _next_change(queue)) != CLOSING:
            await response.write(change.encode())
    except (ConnectionError, asyncio.CancelledError):
        return response
    finally:
        stream.leave(queue)
    return response


async def _next_change(queue: asyncio.Queue[Json]) -> str:
    try:
        change = await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)
    except TimeoutError:
        return ": still here\n\n"
    return CLOSING if change["type"] == CLOSING else f"data: {json.dumps(change)}\n\n"


async def _end_streams(app: web.Application) -> None:
    """A stream never ends of itself, and would hold up the end of the sandbox."""
    app[SANDBOX].stream.tell(CLOSING)


async def _page(request: web.Request) -> web.StreamResponse:
    """A file of the page, or a plain sentence where there is no page."""
    wanted = request.match_info["path"] or "index.html"
    path = _page_file(wanted)
    if path is not None:
        return web.FileResponse(path, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    if wanted == "index.html":
        return web.Response(text=NO_PAGE)
    return web.Response(status=404, text="not here")


def _page_file(wanted: str) -> Path | None:
    folder = Path(str(files("bot.sandbox").joinpath("page"))).resolve()
    path = (folder / wanted).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None
