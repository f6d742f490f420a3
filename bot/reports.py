"""A written report as Markdown and as HTML; everything a person wrote is escaped here, at the last moment.

The templates of `templates/reports` are given one value, `report` (`bot.review.written.Written`), and decide nothing.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.render import BIDI, PRIVATE, templates_folder
from bot.review.written import Link, Words, Written
from storage.types import clean

NO_CHARTS: Mapping[str, str] = {}
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)


class Reports:
    """Renders the templates of `templates/reports`; what lies in the same place of `own` comes before ours."""

    def __init__(self, own: Path | None = None) -> None:
        self._folders = [folder / "reports" for folder in (own, templates_folder()) if folder]
        # Markdown's escaping is not HTML's: finalize does it for every expression of every template.
        self._markdown, self._marked = self._for_markdown(escape_markdown), self._for_markdown(marked_markdown)
        self._html = self._environment(autoescape=True, finalize=_html_words)

    def _environment(self, **more: Any) -> Environment:
        return ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            **more,
        )

    def _for_markdown(self, finalize: Callable[[Any], str]) -> Environment:
        environment = self._environment(autoescape=False, finalize=finalize)
        environment.filters["link"] = link_markdown
        return environment

    def markdown(self, report: Written) -> str:
        """The report in Markdown."""
        return self._as_markdown(report, self._markdown)

    def marked(self, report: Written) -> str:
        """The same, with the places that can be edited marked; `bot.review.editing` reads the marks."""
        return self._as_markdown(report, self._marked)

    def _as_markdown(self, report: Written, environment: Environment) -> str:
        words = environment.get_template("report.md.j2").render(report=report)
        return re.sub(r"\n{3,}", "\n\n", words).strip() + "\n"

    def html(self, report: Written, charts: Mapping[str, str] = NO_CHARTS) -> str:
        """The report as one page that needs nothing else.

        `charts` are our own drawings in SVG, shown as they are: `wide`, and `narrow` for a phone.
        """
        styles = (folder / "report.css" for folder in self._folders)
        style = _tight(next(filter(Path.is_file, styles)).read_text(encoding="utf-8"))
        drawn = {layout: _tight(chart) for layout, chart in charts.items()}
        page = self._html.get_template("report.html.j2").render(
            report=report,
            charts=drawn,
            style=style,
            policy=_policy(style, *STYLE.findall("".join(drawn.values()))),
        )
        return _tight(page)


@cache
def ours() -> Reports:
    """Of our own templates, one for all: to compile them takes twenty times as long as to write a report."""
    return Reports()


def _tight(text: str) -> str:
    """Without empty lines; done before a style is digested, for it counts letter by letter."""
    return re.sub(r"\n\s*\n", "\n", text).strip() + "\n"


def _policy(*styles: str) -> str:
    """Nothing may be loaded, run or sent; of styles only these, letter by letter."""
    allowed = " ".join(f"'sha256-{_digest(style)}'" for style in styles)
    return f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# HTML ----------------------------------------------------------------------------------


def _html_words(value: Any) -> Any:
    """A value without what turns the reading direction or cannot be seen; Jinja's autoescape does the rest."""
    return harmless(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def harmless(text: str) -> str:
    return CONTROLS.sub(" ", PRIVATE.sub("", BIDI.sub("\ufffd", clean(text))))


# Markdown ------------------------------------------------------------------------------


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
MARKS = re.compile(r"([\\`*\[\]{}|~$])|(?<![^\W_])(_)|(_)(?![^\W_])")
LINE_STARTS = re.compile(r"^(\s*)(#|[-+=>]|[0-9]{1,9}(?=[.)]))")


def escape_markdown(value: Any) -> Markdown:
    """A value on one line of Markdown: no heading, table, link, emphasis or HTML begins or ends in it."""
    if isinstance(value, Markdown):
        return value
    line = " ".join(harmless("" if value is None else str(value)).split())
    marked = MARKS.sub(lambda found: f"\\{found[0]}", line)
    html = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markdown(LINE_STARTS.sub(_started, html))


def _started(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"


def marked_markdown(value: Any) -> Markdown:
    """The same, with marks around what can be edited, its key and its words."""
    words = escape_markdown(value)
    return Markdown(f"\ue000{value.key}\ue001{words}\ue002") if isinstance(value, Words) and value.key else words


def link_markdown(link: Link) -> Markdown:
    """A link of the report."""
    return Markdown(f"[{escape_markdown(link.label)}](<{link.url}>)")
