import csv
import io
from datetime import date

import pytest

from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import ActionFacts, EvidenceFacts, Facts, FindingFacts, IncidentFacts, ReviewFacts
from bot.review.spreadsheet import actions_as_csv
from bot.review.writer import write
from tests.cast import NOVEMBER_18


def rows(*actions: ActionFacts, names: dict[str, str] | None = None) -> list[dict[str, str]]:
    found = FindingFacts(number=3, kind="contributor", text="the disk", at=NOVEMBER_18)
    facts = Facts(
        incident=IncidentFacts(id=1, team_id="T", title="Slow"),
        review=ReviewFacts(stage=Stage.open),
        findings=(found,),
        actions=actions,
    )
    written = actions_as_csv(write(facts, called=by_name(names or {"U0MARA": "Mara"}), zone="UTC"))
    return list(csv.DictReader(io.StringIO(written, newline="")))


def test_every_action_is_a_line_with_all_that_is_known_of_it():
    done = ActionFacts(
        number=2,
        text="Alert when the disk is 80 % full",
        owner="U0MARA",
        due=date(2026, 11, 25),
        state="done",
        horizon="quick",
        answers=(3,),
        evidence=EvidenceFacts(deployed="https://example.com/812"),
        verified_by="U0MARA",
    )
    declined = ActionFacts(number=1, text="Buy a disk", state="declined", reason="the service goes away")

    found = rows(done, declined)

    assert [row["number"] for row in found] == ["1", "2"]
    assert (found[0]["state"], found[0]["owner"], found[0]["reason"]) == ("declined", "nobody", "the service goes away")
    assert {name: words for name, words in found[1].items() if words} == {
        "number": "2",
        "action": "Alert when the disk is 80 % full",
        "owner": "Mara",
        "due": "2026-11-25",
        "state": "done",
        "horizon": "quick fix",
        "answers": "contributor 3",
        "deployed": "https://example.com/812",
        "confirmed by": "Mara",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(text: str):
    action = ActionFacts(number=1, text=text, owner="U0MARA", state="proposed", team=text, reason=text)

    (row,) = rows(action, names={"U0MARA": text})

    assert [row[name] for name in ("action", "owner", "team", "reason")] == [f"'{text}"] * 4


@pytest.mark.parametrize("text", ['say "so", twice', "two\nlines", "1 = 1", "a,b;c"])
def test_other_words_are_read_as_they_were_written(text: str):
    (row,) = rows(ActionFacts(number=1, text=text, state="proposed"))

    assert row["action"] == text
