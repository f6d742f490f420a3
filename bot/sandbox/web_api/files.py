"""files.*: the upload in three steps, and what is known of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox import gathering, talking
from bot.sandbox.validation import blocks_errors
from bot.sandbox.viewing import with_ids
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import BOT_USER, Channel, StoredFile

Json = dict[str, Any]

ALT_LIMIT = 1_000
"""Characters; the reference names the error and no number."""
MIMETYPES = {
    "md": "text/markdown",
    "txt": "text/plain",
    "html": "text/html",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "csv": "text/csv",
    "ics": "text/calendar",
}

NOT_KNOWN_YET = {"mimetype": "", "filetype": "", "pretty_type": ""}
SHOWABLE = {"image/png", "image/jpeg", "image/gif"}
ADDRESSES = ("url_private", "permalink")


@answers("files.getUploadURLExternal")
def get_upload_url(call: Call) -> Json:
    name, alt = call.text("filename"), call.text("alt_txt")
    if len(alt) > ALT_LIMIT:
        raise Refused("alt_txt_too_large")
    mimetype = MIMETYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    size = call.number("length", 0)
    if size < 1:
        raise Refused("missing_argument")
    stored = gathering.new_file(call.sandbox, user=BOT_USER, name=name, content=None, mimetype=mimetype, size=size)
    stored.fields |= {"alt_txt": alt} if alt else {}
    return {"upload_url": f"{call.sandbox.url}/files/upload/{stored.id}", "file_id": stored.id}


@answers("files.completeUploadExternal")
def complete_upload(call: Call) -> Json:
    wanted = call.text("channel_id") or call.text("channels")
    places = [_place(call, channel_id) for channel_id in wanted.split(",") if channel_id]
    files = [_uploaded(call, wish) for wish in call.parsed("files") or []]
    for channel in places:
        _share(call, channel, files)
    return {"files": [{**_known_of(call, stored), "shares": {}} for stored in files]}


@answers("files.info")
def info(call: Call) -> Json:
    stored = _seen(call)
    return {"file": _known_of(call, stored), "comments": [], "response_metadata": {"next_cursor": ""}}


@answers("files.list")
def list_all(call: Call) -> Json:
    files = [s.fields for s in call.workspace.files.values() if s.shared and _may_see(call, s)]
    if call.text("channel"):
        files = [f for f in files if call.text("channel") in f["channels"] + f["groups"] + f["ims"]]
    return {"files": files, "paging": {"count": 100, "total": len(files), "page": 1, "pages": 1}}


@answers("files.delete")
def delete(call: Call) -> Json:
    stored = _seen(call)
    if stored.fields["user"] != BOT_USER:
        raise Refused("cant_delete_file")
    gathering.delete_file(call.sandbox, stored)
    return {}


def _known_of(call: Call, stored: StoredFile) -> Json:
    return stored.fields if _is_ready(call, stored) else {**stored.fields, **NOT_KNOWN_YET}


def _is_ready(call: Call, stored: StoredFile) -> bool:
    return stored.ready_at <= call.sandbox.clock.epoch()


def unshowable(call: Call, blocks: Any, at: str = "/blocks") -> Iterator[str]:
    """Pictures in blocks that name a file which is none, is not ready, is no picture or is none of the bot's business.

    One that names it both by id and by address is refused, too.
    """
    if isinstance(blocks, list):
        for number, block in enumerate(blocks):
            yield from unshowable(call, block, f"{at}/{number}")
    elif isinstance(blocks, dict):
        if "slack_file" in blocks and not _may_show(call, blocks["slack_file"]):
            yield f"invalid slack file [json-pointer:{at}/slack_file]"
        for key, inner in blocks.items():
            if key != "slack_file":
                yield from unshowable(call, inner, f"{at}/{key}")


def _may_show(call: Call, named: Any) -> bool:
    if not isinstance(named, dict) or len(named.keys() & {"id", "url"}) != 1:
        return False
    known = call.workspace.files.values()
    stored = next((s for s in known if named in ({"id": s.id}, *({"url": s.fields[k]} for k in ADDRESSES))), None)
    return stored is not None and _is_whole(call, stored) and stored.fields["mimetype"] in SHOWABLE


def _is_whole(call: Call, stored: StoredFile) -> bool:
    return (stored.completed or stored.shared) and _is_ready(call, stored) and _may_see(call, stored)


def _place(call: Call, channel_id: str) -> Channel:
    call.args["channel_id"] = channel_id
    return call.channel_inside("channel_id")


def _uploaded(call: Call, wish: Json) -> StoredFile:
    stored = call.workspace.files.get(str(wish.get("id")))
    if stored is None or stored.content is None or stored.completed:
        raise Refused("file_not_found")
    stored.completed = True
    stored.ready_at = call.sandbox.clock.epoch() + call.sandbox.faults.file_lag_s
    stored.fields |= {"title": wish.get("title") or stored.fields["name"], "size": len(stored.content)}
    return stored


def _share(call: Call, channel: Channel, files: list[StoredFile]) -> None:
    blocks = call.parsed("blocks")
    if blocks and (errors := blocks_errors(blocks)):
        raise Refused("invalid_blocks", response_metadata={"messages": errors})
    content: Json = {"text": call.text("initial_comment"), "files": [stored.fields for stored in files]}
    content |= {"subtype": "file_share", "upload": False, "display_as_bot": False}
    if blocks:
        content["blocks"] = with_ids(call.sandbox, blocks)
    message = talking.bot_message(call.sandbox, content)
    talking.post(call.sandbox, channel, message, thread_ts=call.text("thread_ts") or None)
    for stored in files:
        gathering.share_file(call.sandbox, stored, channel, message)


def _seen(call: Call) -> StoredFile:
    stored = call.workspace.files.get(call.text("file"))
    if stored is None or not _may_see(call, stored):
        raise Refused("file_not_found")
    return stored


def _may_see(call: Call, stored: StoredFile) -> bool:
    places = stored.fields["channels"] + stored.fields["groups"] + stored.fields["ims"]
    known = [call.workspace.channels[c] for c in places if c in call.workspace.channels]
    return stored.fields["user"] == BOT_USER or any(not c.is_private or BOT_USER in c.members for c in known)
