"""The timeline drawn: SVG for a page, PNG for Slack."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from bot.render import templates_folder
from bot.review import chart
from bot.review.chart import Chart, Gap
from bot.review.naming import Called
from bot.review.report import Facts

Layout = Literal["wide", "narrow"]
LAYOUTS: Mapping[Layout, Callable[..., Chart]] = {"wide": chart.wide, "narrow": chart.narrow}
COLOURS = {"helped": "#009e73", "no_effect": "#5f6b76", "worse": "#b3450b", "unknown": "#0072b2"}
"""Of the palette of Okabe and Ito, darkened where white paper asks for it; the shape says the same."""
FAINT = {"unseen": "#d55e00", "impact": "#e69f00", "mitigated": "#0072b2"}
INKS = {"ink": "#1b1f24", "quiet": "#555e68"}
STROKES = {
    "grid": 'stroke-width="1" stroke-opacity=".14"',
    "midnight": 'stroke-width="1.4" stroke-opacity=".5"',
    "moment": 'stroke-width="1.4" stroke-dasharray="5 3"',
    "leader": 'stroke-width=".8" stroke-opacity=".4"',
    "lane": 'stroke-width="1" stroke-opacity=".2"',
}
SHARPNESS = 192.0
"""Pixels an inch, which are two for each unit: what Slack shows is sharp on a good screen, too."""
ON_ITS_OWN = b"""#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.picture), format: "svg")"""
"""The document that is as large as the picture; the picture is given as data and never read as Typst."""
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Controls that turn the reading direction of what follows."""


def svg(facts: Facts, *, zone: str, called: Called, layout: Layout = "wide") -> str:
    """The timeline for a page or, `narrow`, for a phone; it may stand in an HTML document as it is."""
    drawn = LAYOUTS[layout](_legible(facts, called), zone=ZoneInfo(zone))
    own = {"chart": drawn, "id": f"chart-{layout}", "colours": COLOURS, "faint": FAINT, "inks": INKS}
    strokes = {name: Markup(stroke) for name, stroke in STROKES.items()}  # noqa: S704 - constants of this file
    return _template().get_template("chart.svg.j2").render(own, strokes=strokes).strip() + "\n"


def about(facts: Facts, *, zone: str) -> str:
    """The picture in one or two sentences, for who cannot see it; no words of any event stand in it."""
    return chart.wide(facts, zone=ZoneInfo(zone)).about


class NotDrawn(Exception):
    """A template of ours that somebody changed, or the engine, could not draw this picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is to be posted: its drawing, and what it shows, for who cannot see it."""

    svg: str
    about: str


def picture(facts: Facts, *, zone: str, called: Called) -> Picture:
    """The timeline as it is posted; raises NotDrawn."""
    try:
        return Picture(svg(facts, zone=zone, called=called), about(facts, zone=zone))
    except TemplateError as error:
        raise NotDrawn from error


def png(picture: str) -> bytes:
    """The same picture as pixels; raises NotDrawn."""
    given = {"picture": picture}
    return compiled(
        partial(typst.compile, ON_ITS_OWN, format="png", ppi=SHARPNESS, sys_inputs=given, font_paths=letters())
    )


def compiled(compile_it: Callable[[], object]) -> bytes:
    """The one document that the engine makes; raises NotDrawn, also where the engine itself gives up."""
    try:
        made = compile_it()
    except typst.TypstError as error:
        raise NotDrawn(str(error)) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # No `Exception`: whoever waits for it would wait for ever.
            raise NotDrawn from None
        raise
    if not isinstance(made, bytes):
        raise NotDrawn
    return made


@cache
def letters() -> typst.Fonts:
    """What is set and drawn with: the letters that come with the program first, the machine's for the rest."""
    return typst.Fonts(font_paths=[str(fonts())])


def fonts() -> Path:
    """The folder of the letters that come with the program: slim machines have none."""
    return Path(str(files("bot"))) / "fonts"


def _legible(facts: Facts, called: Called) -> Facts:
    """The same with people's names in the words, and without what XML does not know."""

    def said(text: str | None) -> str | None:
        return TURNS.sub("\ufffd", NOT_IN_XML.sub(" ", called.in_text(text))) if text else text

    events = tuple(replace(event, text=said(event.text)) for event in facts.timeline)
    incident = replace(facts.incident, title=said(facts.incident.title) or "")
    return replace(facts, incident=incident, timeline=events)


@cache
def _template() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder() / "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"px": _px, "torn": _torn}
    return environment


def _px(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")


def _torn(gap: Gap) -> str:
    """The two edges of a break, torn like paper."""
    box = gap.box
    if gap.runs == "across":
        edges = [_zigzag(box.top, box.bottom, partial(_swap, across=x)) for x in (box.left + 2, box.right - 2)]
    else:
        edges = [_zigzag(box.left, box.right, partial(_keep, across=y)) for y in (box.top + 2, box.bottom - 2)]
    return " ".join(edges)


def _keep(along: float, off: float, *, across: float) -> tuple[float, float]:
    return along, across + off


def _swap(along: float, off: float, *, across: float) -> tuple[float, float]:
    return across + off, along


def _zigzag(start: float, end: float, at: Callable[[float, float], tuple[float, float]]) -> str:
    count = max(2, int((end - start) / 8))
    points = [at(start + (end - start) * step / count, 2 if step % 2 else -2) for step in range(count + 1)]
    return "M" + "L".join(f"{_px(x)} {_px(y)}" for x, y in points)
