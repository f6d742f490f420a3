"""A template and its facts become text and blocks; everything a person wrote is escaped here, at the last moment.

A template of `templates/notes` reads as the message does. Paragraphs become sections; a line that starts with `# `
is a header, `~ ` a line of small print, `---` a divider; a paragraph of `{{ button(…) }}` becomes a row of buttons.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.review.pseudonym import is_pseudonym, name_of
from bot.review.questions import addressed
from bot.review.sought import Part
from storage.types import clean

SECTION_LIMIT = 2_900
"""Characters; Slack's limit of a section is 3,000, and an ellipsis must fit."""
HEADER_LIMIT = 150
BLOCKS_LIMIT = 50
BUTTON_LABEL_LIMIT = 75
BUTTON_VALUE_LIMIT = 2_000
ROW_LIMIT = 8_000
"""Characters of one row of buttons; what stands behind is left out."""
TEXT_LIMIT = 3_900
"""Characters of the plain text; longer ones were seen to come out as several messages."""
ALL_BLOCKS_LIMIT = 12_000
"""Characters over all blocks; about 13,200 are refused as too long."""
MORE = "_There is more than fits here; the report has it all._"

NEWLINE = "\ue001"  # A newline that a person wrote: it must not start a header or a row of buttons.
TOKEN = re.compile("\ue000(.*?)\ue000")
WORDS = "\ue002"  # What a person wrote starts here, even where it looks like one of our marks.
PRIVATE = re.compile("[\ue000-\ue002]")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Controls that turn the reading direction; shown as a mark, they cannot disguise what follows."""


class Mrkdwn(str):
    """Text that is Slack markup already and is not escaped again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Slack is given: the plain text for notifications and screen readers, and the blocks."""

    text: str
    blocks: list[dict[str, Any]]

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Several answers as one message."""
        every = list(parts)
        return cls(_cut("\n".join(p.text for p in every), TEXT_LIMIT), _fit([b for p in every for b in p.blocks]))


class Renderer:
    """Renders the templates of a folder, for a house whose command has this name."""

    def __init__(self, *, command: str, bot_name: str = "Debrief", folder: Path | None = None) -> None:
        self._notes = self._environment(folder or templates_folder(), finalize=escape)
        self._notes.globals |= {"command": Mrkdwn(command), "bot": Mrkdwn(bot_name), "button": button, "link": link}
        self._notes.filters |= FILTERS
        self._letters = self._environment(folder or templates_folder(), finalize=plainly)
        self._letters.globals |= {"command": command, "bot": bot_name}
        self._letters.filters |= {"local": local, "short": short}

    def letter(self, template: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        """The letter of this name with these facts: its subject, which is its first line, and its text."""
        words = self._letters.get_template(f"letters/{template}.j2").render(facts)
        subject, _, text = words.strip().partition("\n")
        return subject.strip(), re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"

    def _environment(self, folder: Path, finalize: Callable[[Any], str]) -> Environment:
        # Slack's escaping is not HTML's: finalize does it for every expression of every template, whatever its name.
        return Environment(
            loader=FileSystemLoader(folder),
            finalize=finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701
        )

    def render(self, template: str, facts: Mapping[str, Any]) -> Rendered:
        """The note of this name with these facts."""
        words = self._notes.get_template(f"notes/{template}.j2").render(facts)
        blocks = _fit([_block(part, number) for number, part in enumerate(_parts(words)) if not _is_blank(part)])
        return Rendered(_plain(words), blocks)

    def words(self, template: str, facts: Mapping[str, Any]) -> str:
        """The words of a note as one string of markup, for a form or a report."""
        return _plain(self._notes.get_template(f"notes/{template}.j2").render(facts))


def templates_folder() -> Path:
    """Where the templates lie: inside an installed wheel, else beside the packages of a checkout."""
    packed = Path(str(files("bot"))) / "_resources" / "templates"
    return packed if packed.is_dir() else Path(__file__).parent.parent / "templates"


# People whom somebody mentioned -------------------------------------------------------

MENTIONED = re.compile(r"&lt;@([UW][A-Z0-9]{2,})(?:\|[^&]*)?&gt;|(?<![<\w])@([UW][A-Z0-9]{5,})\b")
"""A mention in what a person wrote: quoting it must not call that person again, so their name stands in for it."""


def mentioned(rendered: Rendered) -> set[str]:
    """The people whose ids stand in what somebody wrote."""
    return {one or other for one, other in MENTIONED.findall(json.dumps(rendered.blocks, ensure_ascii=False))}


def with_names(rendered: Rendered, names: Mapping[str, str]) -> Rendered:
    """The same with names in place of those ids; an id without a name stays."""

    def name(found: re.Match[str]) -> str:
        user = found[1] or found[2]
        return f"@{escape(names[user])}" if user in names else found[0]

    def walk(part: Any) -> Any:
        if isinstance(part, list):
            return [walk(inner) for inner in part]
        if not isinstance(part, dict):
            return part
        return {
            key: MENTIONED.sub(name, v) if key == "text" and isinstance(v, str) else walk(v) for key, v in part.items()
        }

    return Rendered(MENTIONED.sub(name, rendered.text), walk(rendered.blocks))


# What a template may say -----------------------------------------------------------


def escape(value: Any) -> str:
    """A value as harmless Slack markup: no mention, link or channel call survives in it."""
    if isinstance(value, Mrkdwn):
        return value
    text = _harmless("" if value is None else str(value))
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", NEWLINE)
    return WORDS + escaped if escaped.lstrip().startswith(("#", "~", "-")) else escaped


def plainly(value: Any) -> str:
    """A value in a letter, on one line: no markup is read there, and nothing is hidden in it."""
    return " ".join(_harmless("" if value is None else str(value)).split())


def _harmless(text: str) -> str:
    """Without our own marks, odd line ends and what turns the reading direction."""
    plain = PRIVATE.sub("", BIDI.sub("\ufffd", clean(text)))
    return plain.replace("\r\n", "\n").replace("\r", "\n")


def person(user: str | None) -> Mrkdwn:
    """A mention; nobody is said as such, and who is forgotten by the name that stands for them."""
    if user and is_pseudonym(user):
        return Mrkdwn(name_of(user))
    return Mrkdwn(f"<@{user}>" if user and re.fullmatch(r"[A-Z0-9]+", user) else escape(user or "nobody"))


def persons(users: Iterable[str | None], before_last: str = ", ") -> Mrkdwn:
    """Mentions one after the other."""
    *first, last = [person(user) for user in users] or [""]
    return Mrkdwn(before_last.join(filter(None, (", ".join(first), last))))


def question(words: str, user: str | None) -> Mrkdwn:
    """A question of ours, put to a person, or to the room where nobody is in what is asked about."""
    return Mrkdwn(addressed(words, person(user) if user else None))


def channel(channel_id: str) -> Mrkdwn:
    return Mrkdwn(f"<#{channel_id}>" if re.fullmatch(r"[A-Z0-9]+", channel_id) else escape(channel_id))


def link(url: str, label: str) -> Mrkdwn:
    """A link to an https or http address; any other address is shown as its label."""
    if not _is_address(url):
        return Mrkdwn(escape(label))
    words = escape(" ".join(_harmless(label).split()) or url).replace("|", "¦")
    return Mrkdwn(f"<{url.replace('&', '&amp;')}|{words}>")


def _is_address(url: str) -> bool:
    return bool(re.fullmatch(r"https?://[^\s<>|]+", url)) and url == _harmless(url)


def moment(at: datetime, url: str | None = None) -> Mrkdwn:
    """Day and time in the zone of whoever reads it, as a link where there is an address."""
    return _dated(at, "{date_short_pretty} at {time}", f"{at.astimezone(UTC):%a %d %b, %H:%M} UTC", url)


def clock(at: datetime, url: str | None = None) -> Mrkdwn:
    """The time of day in the zone of whoever reads it, as a link where there is an address."""
    return _dated(at, "{time}", f"{at.astimezone(UTC):%H:%M} UTC", url)


def _dated(at: datetime, form: str, fallback: str, url: str | None) -> Mrkdwn:
    leads = f"^{url.replace('&', '&amp;')}" if url and "^" not in url and _is_address(url) else ""
    return Mrkdwn(f"<!date^{int(at.timestamp())}^{form}{leads}|{fallback}>")


def local(at: datetime, zone: str) -> str:
    """Day, time and zone written out, as an echo of what somebody typed in theirs."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y, %H:%M %Z}"


def day(value: date) -> str:
    return f"{value:%a %d %b %Y}"


def quote(text: str | None) -> Mrkdwn:
    """Somebody's words as a quotation, every line of it."""
    return Mrkdwn("\n".join(f"> {line}" for line in escape(text or "").split(NEWLINE)))


def marked(parts: Iterable[Part]) -> Mrkdwn:
    """A snippet with what was looked for in bold; what has signs of its own, which would end that, stays as it is."""
    return Mrkdwn("".join(_bold(part.words) if part.is_found else escape(part.words) for part in parts))


def _bold(words: str) -> str:
    return escape(words) if set(words) & set("*`_~") else f"*{escape(words)}*"


def short(text: str | None, length: int = 140) -> str:
    """The first words of a text, on one line."""
    line = " ".join((text or "").replace("```", " ").split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def button(
    label: str, verb: str, text: str = "", *, incident: int | None = None, style: str = "", confirm: str = ""
) -> Mrkdwn:
    """A button that types a verb: pressing it is typing `/review verb text` about that incident."""
    fields = {
        "label": " ".join(_harmless(label).split()) or "…",
        "verb": verb,
        "text": clean(str(text)),
        "incident": incident,
        "style": style,
        "confirm": _harmless(confirm),
    }
    return Mrkdwn(f"\ue000{json.dumps(fields)}\ue000")


FILTERS: dict[str, Callable[..., Any]] = {
    "person": person,
    "persons": persons,
    "channel": channel,
    "addressed": question,
    "moment": moment,
    "clock": clock,
    "local": local,
    "marked": marked,
    "day": day,
    "quote": quote,
    "short": short,
}


# From words to blocks ------------------------------------------------------------------


def _parts(words: str) -> list[str]:
    """Paragraphs; header, small print and divider lines stand alone, long paragraphs are cut between lines."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", words.strip()):
        run: list[str] = []
        for line in paragraph.strip("\n").split("\n"):
            alone = line.startswith(("# ", "~ ")) or line.strip() == "---"
            if run and (
                alone or len("\n".join([*run, line])) > SECTION_LIMIT or _is_buttons(line) != _is_buttons(run[-1])
            ):
                parts.append("\n".join(run))
                run = []
            run.append(line)
            if alone:
                parts.append("\n".join(run))
                run = []
        if run:
            parts.append("\n".join(run))
    return [part for part in parts if part.strip()]


def _is_buttons(line: str) -> bool:
    return bool(TOKEN.search(line)) and not TOKEN.sub("", line).strip()


def _is_blank(part: str) -> bool:
    """Nothing to read and nothing to press: Slack refuses such a block."""
    words = part[2:] if part.startswith(("# ", "~ ")) else part
    return part.strip() in {"#", "~"} or not (TOKEN.search(part) or _newlines(words).strip())


def _block(part: str, number: int) -> dict[str, Any]:
    if part.strip() == "---":
        return {"type": "divider"}
    if part.startswith("# "):
        return {"type": "header", "text": {"type": "plain_text", "text": _cut(_unmarked(part[2:]), HEADER_LIMIT)}}
    if part.startswith("~ "):
        return {"type": "context", "elements": [_mrkdwn(_newlines(part[2:]))]}
    if _is_buttons(part.replace("\n", " ")):
        return {"type": "actions", "elements": _buttons(part, number)}
    return {"type": "section", "text": _mrkdwn(_newlines(TOKEN.sub("", part)))}


def _mrkdwn(text: str) -> dict[str, Any]:
    # Verbatim: otherwise Slack makes links and mentions of words that only look like them, `@here` and `#general`.
    return {"type": "mrkdwn", "text": _cut(text, SECTION_LIMIT), "verbatim": True}


def _buttons(part: str, row: int) -> list[dict[str, Any]]:
    tokens = [json.loads(found) for found in TOKEN.findall(part)]
    buttons = [_button(fields, f"{row}_{place}") for place, fields in enumerate(tokens)][:25]
    while _length(buttons) > ROW_LIMIT:
        buttons.pop()
    return buttons


def _button(fields: dict[str, Any], place: str) -> dict[str, Any]:
    element = {
        "type": "button",
        "action_id": f"review:{fields['verb']}:{place}",
        "text": {"type": "plain_text", "text": _cut(fields["label"], BUTTON_LABEL_LIMIT)},
        "value": _value(fields["text"], fields["incident"]),
    }
    if fields["style"]:
        element["style"] = fields["style"]
    if fields["confirm"]:
        element["confirm"] = _confirm(fields)
    return element


def _value(text: str, incident: int | None) -> str:
    """What a press types; as much of it as a button can carry."""
    value = json.dumps({"text": text, "incident": incident}, ensure_ascii=False)
    too_long = len(value) - BUTTON_VALUE_LIMIT
    return value if too_long <= 0 else _value(text[:-too_long], incident)


def _confirm(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": {"type": "plain_text", "text": _cut(fields["label"], 100)},
        "text": {"type": "plain_text", "text": _cut(fields["confirm"], 300)},
        "confirm": {"type": "plain_text", "text": _cut(fields["label"], 30)},
        "deny": {"type": "plain_text", "text": "Not yet"},
    }


def _fit(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many blocks as Slack takes; the last row of buttons stays, and a line says that there is more."""
    if _fits(blocks):
        return blocks
    more = {"type": "context", "elements": [_mrkdwn(MORE)]}
    tail = [more, blocks[-1]] if blocks[-1]["type"] == "actions" else [more]
    kept: list[dict[str, Any]] = []
    for block in blocks[: -len(tail) + 1 or None]:
        if not _fits([*kept, block, *tail]):
            break
        kept.append(block)
    return [*kept, *tail]


def _fits(blocks: list[dict[str, Any]]) -> bool:
    return len(blocks) <= BLOCKS_LIMIT and _length(blocks) <= ALL_BLOCKS_LIMIT


def _length(blocks: list[dict[str, Any]]) -> int:
    return sum(len(json.dumps(block, ensure_ascii=False)) for block in blocks)


def _plain(words: str) -> str:
    """The words without buttons and marks, for a notification."""
    lines = [re.sub(r"^(# |~ )", "", line) for line in TOKEN.sub("", words).split("\n") if line.strip() != "---"]
    return _cut(re.sub(r"\n{3,}", "\n\n", _newlines("\n".join(line.rstrip() for line in lines))).strip(), TEXT_LIMIT)


def _unmarked(text: str) -> str:
    """Escapes undone: a header is plain text, where they would be read literally."""
    return _newlines(text).replace("\n", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _newlines(text: str) -> str:
    return text.replace(NEWLINE, "\n").replace(WORDS, "")


def _cut(text: str, length: int) -> str:
    """As much of a text as fits, never half a mention or half an escape."""
    return text if len(text) <= length else re.sub(r"(<[^<>]*|&[a-z]{0,3})$", "", text[: length - 1]) + "…"
