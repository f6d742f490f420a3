"""A shared file: where it may be fetched from, whether what came is the file, and when it will never be had."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

# Where the bot's token may go -----------------------------------------------------------------

SLACKS_FILES = "https://files.slack.com"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PATH = re.compile(r"/[^\s\\#\x00-\x20\x7f]*")
"""What may follow the host: never a backslash or a blank, which some take for the end of a host's name."""
IN_A_PATH = "%/:?&=+,;@!$'()*~"


def allowed(url: str, api_url: str) -> str | None:
    """The address to fetch, where it is one of Slack's file host, or of the local Slack that `api_url` names."""
    origin = _origin(api_url)
    rest = url.removeprefix(origin).removeprefix(":443" if origin == SLACKS_FILES else "")
    if not url.startswith(origin) or not PATH.fullmatch(rest):
        return None
    return origin + quote(rest, safe=IN_A_PATH, errors="replace")


def _origin(api_url: str) -> str:
    api = urlsplit(api_url)
    return f"{api.scheme}://{api.netloc}" if api.hostname in LOOPBACK else SLACKS_FILES


# What will never be had, in words that stand in the export ----------------------------------------

ELSEWHERE = "kept elsewhere, not in Slack"
GIVEN_AWAY = "its name had a secret in it"
LOST = "Slack no longer has it"
HIDDEN = "hidden by the limit of Slack's free plan"
CLOSED = "Slack does not show it to this app"
LIVING = "a canvas or a list, which goes on living in Slack"
NOT_GIVEN = "Slack did not give it, however often it was asked"
NEVER_ANSWERS = {"file_deleted": LOST, "file_not_found": LOST, "access_denied": CLOSED, "not_visible": CLOSED}
"""Why, by the word with which Slack refuses to describe it."""
NEVER_MODES = {"external": ELSEWHERE, "tombstone": LOST, "hidden_by_limit": HIDDEN}
LIVING_TYPES = "application/vnd.slack-"


def never_given(said: Mapping[str, Any]) -> str | None:
    """Why Slack will never give a file that it describes so."""
    return NEVER_MODES.get(str(said.get("mode") or "")) or (ELSEWHERE if said.get("is_external") else None)


# Whether it is what was asked for ------------------------------------------------------------------

PAGES = (b"<!doctype html", b"<html", b"<head", b"<script")
MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
}
"""How the bytes of some types begin, whatever the file calls itself."""


def is_a_page(head: bytes, answered_as: str) -> bool:
    """Whether a page came; where no page was shared, that is Slack asking us to sign in."""
    return answered_as == "text/html" or head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES)


def may_be_a_page(mimetype: str, *, announced: int, came: int) -> bool:
    """Only a text that is as long as announced may be one."""
    return mimetype.startswith("text/") and came == announced


def type_of(head: bytes, said: str) -> str:
    """The type that the bytes show where they show one, else what Slack says."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in MAGIC.items() if head.startswith(begin)), said)
