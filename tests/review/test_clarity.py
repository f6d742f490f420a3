import pytest

from bot.review.clarity import question_about

AN_END = {
    "monitoring": ["improve monitoring", "Better alerts", "add more alerts"],
    "people": [
        "be more careful with deploys",
        "Be careful when deploying on Fridays",
        "remember to drain the node within 5 minutes",
        "retrain the on-call engineers",
        "Remind everyone to check the pool every Monday",
        "Ask the team to double-check",
    ],
    "a verb": ["a runbook for the failover", "More tests", "Documentation of the failover", "New dashboard"],
    "bounds": ["Document everything", "Add retries to all services", "Roll it out across the company"],
    "a way to know": ["Work on the failover", "Keep watching the pool", "Follow up with the vendor"],
    "a result": ["Ensure backups work", "look into the pool", "Investigate", "consider a second region"],
    "one condition": ["prevent this from happening again"],
}


@pytest.mark.parametrize(("lacks", "text"), [(lacks, text) for lacks, texts in AN_END.items() for text in texts])
def test_wording_without_an_end_gets_one_question_back(lacks: str, text: str) -> None:
    question = question_about(text)

    assert question is not None
    assert question.endswith(("?", "."))
    assert not {"why", "who"} & set(question.lower().replace(",", " ").split())


def test_what_is_missing_decides_what_is_asked() -> None:
    asked = {lacks: {question_about(text) for text in texts} for lacks, texts in AN_END.items()}

    assert [len(asked[lacks]) for lacks in ("monitoring", "a verb", "bounds", "a way to know")] == [1, 1, 1, 1]
    assert len(set.union(*asked.values())) == 10


@pytest.mark.parametrize(
    "text",
    [
        "Alert the on-call when the pool is 80 % full",
        "Write the runbook for a full disk",
        "Improve checkout latency to below 300 ms",
        "Set a limit on the connection pool",
        "Ensure the restore test runs every night",
        "Delete the old feature flag",
        "Investigate until the leak has a name",
        "Train a second person for the failover, so that two can do it",
        "Test the restore of one database each month",
        "Alert on pool wait time",
        "Document the failover in the payments runbook",
        "Monitor replication lag with an alert above 30 s",
        "Keep the last three releases on disk",
        "Handle the 429 of the payments API with a retry",
        "Ask the vendor for the retry limit",
        "Review the pool size with the database team",
        "Move all four pools to the new limit",
        "Remove the root account",
    ],
)
def test_specific_wording_is_left_alone(text: str) -> None:
    assert question_about(text) is None
