import pytest

from bot.review.findings import FindingKind, split_sort


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (FindingKind.contributor, "external: DNS failed", ("external", "DNS failed")),
        (FindingKind.contributor, "Technical :no limit on the pool", ("technical", "no limit on the pool")),
        (FindingKind.contributor, "error: timeout in the log", (None, "error: timeout in the log")),
        (FindingKind.contributor, "external DNS failed", (None, "external DNS failed")),
        (FindingKind.mitigator, "luck: it was Sunday", ("luck", "it was Sunday")),
        (FindingKind.learning, "process: hand-overs need a note", ("process", "hand-overs need a note")),
        (FindingKind.risk, "technical: one person knows it", (None, "technical: one person knows it")),
        (FindingKind.dissent, "human: I saw it differently", (None, "human: I saw it differently")),
        (FindingKind.contributor, "external:", ("external", "")),
    ],
)
def test_only_a_sort_of_that_kind_before_a_colon_is_taken(
    kind: FindingKind, text: str, expected: tuple[str | None, str]
) -> None:
    assert split_sort(kind, text) == expected


def test_every_kind_says_what_it_means() -> None:
    assert all(kind.meaning for kind in FindingKind)
