"""A written report as PDF. Typst sets it and gets what people wrote as data: none of it is read as markup."""

import json
import re
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typst

from bot.drawing import compiled, letters
from bot.render import templates_folder
from bot.reports import harmless
from bot.review.written import Instant, Written

ENDLESS = re.compile(r"\S{60}(?=\S)")
"""So much of one word fits on a line; without a place to break, the rest of it would stand beside the paper."""
A_LINK = re.compile(r"https?://\S{1,2000}")


def pdf(report: Written, chart: str = "", own: Path | None = None) -> bytes:
    """The report on A4 pages, the same bytes for the same report; `chart` is our own drawing in SVG.

    A template reads what lies beside it in its folder, and nothing else; one in `own` comes before ours. Raises
    NotDrawn.
    """
    folders = (folder / "reports" for folder in (own, templates_folder()) if folder)
    reports = next(folder for folder in folders if (folder / "report.typ").is_file())
    return compiled(
        partial(
            typst.compile,
            str(reports / "report.typ"),
            root=str(reports),
            font_paths=letters(),
            format="pdf",
            sys_inputs={"report": json.dumps(_plain(report)), "chart": chart},
            timestamp=0,
        )
    )


def _plain(part: Any) -> Any:
    """As JSON, with what an instant says of itself."""
    if isinstance(part, str):
        return harmless(part) if A_LINK.fullmatch(part) else ENDLESS.sub("\\g<0>\u200b", harmless(part))
    if isinstance(part, tuple):
        return [_plain(one) for one in part]
    if not is_dataclass(part):
        return part
    told = {one.name: _plain(getattr(part, one.name)) for one in fields(part)}
    return told | {"words": part.words} if isinstance(part, Instant) else told
