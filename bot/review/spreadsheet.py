"""The actions of a review as CSV, in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from bot.review.written import ActionRow, Written

PROOFS = ("deployed", "tested", "documented")
COLUMNS = (
    *("number", "action", "owner", "due", "state", "horizon", "category", "priority", "team", "answers"),
    *("what else it could change", "reason", *PROOFS, "confirmed by"),
)
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Spreadsheets take a cell that starts so for a formula, some of them full-width signs, too."""


def actions_as_csv(report: Written) -> str:
    """One line an action, by number, under a line of headings (RFC 4180); due days as `2026-11-25`."""
    rows = sorted((row for group in report.actions for row in group.rows), key=lambda row: row.number)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(COLUMNS)
    writer.writerows(map(_cells, rows))
    return out.getvalue()


def _cells(row: ActionRow) -> list[str]:
    proof = {part.label: part.words for part in row.evidence}
    said = (
        *(row.text, row.owner, row.due_iso, row.state, row.horizon, row.category, row.priority, row.team),
        *(", ".join(row.answers), row.second_order or "", row.reason or ""),
        *(proof.get(label, "") for label in PROOFS),
        row.verified_by,
    )
    return [str(row.number), *_harmless(said)]


def _harmless(cells: Iterable[str]) -> list[str]:
    """An apostrophe before what a spreadsheet would reckon with: it is shown as the text it is."""
    return [f"'{cell}" if cell.lstrip(" ").startswith(BEGINS_A_FORMULA) else str(cell) for cell in cells]
