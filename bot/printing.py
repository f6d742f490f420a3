"""A report in every form it is read in, from one value; by the templates of an installation's own where they work.

A template that somebody wrote is tried in a process apart, with little memory, little time and nothing to lose. Where
it fails, our own serves, and the log says which one failed and how, but none of the words.
"""

import logging
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot import paper
from bot.reports import NO_CHARTS, Reports, ours
from bot.review.written import Written

log = logging.getLogger("debrief.printing")

Form = Literal["md", "html", "pdf"]
TEMPLATES: Mapping[Form, tuple[str, ...]] = {
    "md": ("report.md.j2",),
    "html": ("report.html.j2", "report.css"),
    "pdf": ("report.typ",),
}
"""The files of `reports/` that a form is made of; a folder of one's own may hold any of them."""
MOST_BYTES = 50 * 1024 * 1024
"""Of one report, in whatever form."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a process may take that tries somebody's template."""

    seconds: int = 20
    memory: int = 768 * 1024 * 1024
    """Bytes of address space."""


@dataclass(frozen=True)
class Asked:
    """What a process apart is given."""

    limits: Limits
    form: Form
    report: Written
    charts: Mapping[str, str]
    own: Path | None


@dataclass(frozen=True)
class Trouble:
    """A template that does not work, and what is wrong with it in a few words."""

    template: str
    why: str


@dataclass(frozen=True)
class Press:
    """Prints reports; `folder` is where an installation's own templates lie, in `reports/` as ours do."""

    folder: Path | None = None
    limits: Limits = Limits()

    def markdown(self, report: Written) -> str:
        """The report in Markdown."""
        return self._print("md", report, NO_CHARTS).decode()

    def html(self, report: Written, charts: Mapping[str, str] = NO_CHARTS) -> str:
        """The report as one page that needs nothing else."""
        return self._print("html", report, charts).decode()

    def pdf(self, report: Written, charts: Mapping[str, str] = NO_CHARTS) -> bytes:
        """The report on paper."""
        return self._print("pdf", report, charts)

    def troubles(self, sample: Written) -> list[Trouble]:
        """Which of the own templates do not work, tried on this report."""
        tried = [self._apart(form, sample, NO_CHARTS) for form in TEMPLATES if self._has_own(form)]
        return [one for one in tried if isinstance(one, Trouble)]

    def _print(self, form: Form, report: Written, charts: Mapping[str, str]) -> bytes:
        if self._has_own(form):
            made = self._apart(form, report, charts)
            if isinstance(made, bytes):
                return made
            log.warning("a template of this installation's own failed", extra={"template": made.template})
        return printed(form, report, charts)

    def _has_own(self, form: Form) -> bool:
        return self.folder is not None and any((self.folder / "reports" / name).exists() for name in TEMPLATES[form])

    def _apart(self, form: Form, report: Written, charts: Mapping[str, str]) -> bytes | Trouble:
        """What the own templates make of it, or why they make nothing."""
        asked = pickle.dumps(Asked(self.limits, form, report, dict(charts), self.folder))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bot.apart"],
                input=asked,
                capture_output=True,
                timeout=self.limits.seconds,
                env=_nothing_but_where_we_are(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Trouble(TEMPLATES[form][0], f"it takes longer than {self.limits.seconds} seconds")
        if done.returncode == 0 and done.stdout and len(done.stdout) <= MOST_BYTES:
            return done.stdout
        return Trouble(TEMPLATES[form][0], done.stderr.decode(errors="replace").strip()[:500] or "it makes nothing")


def printed(form: Form, report: Written, charts: Mapping[str, str], own: Path | None = None) -> bytes:
    """A report by our templates, or by those of a folder that come before them."""
    if form == "pdf":
        return paper.pdf(report, charts.get("wide", ""), own)
    reports = Reports(own) if own else ours()
    return (reports.markdown(report) if form == "md" else reports.html(report, charts)).encode()


def _nothing_but_where_we_are() -> dict[str, str]:
    """No token and no address of a database; few threads, for each takes its share of the memory."""
    return {"PYTHONPATH": str(Path(__file__).parent.parent), "RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
