"""What a running bot is put together from: whose time counts."""

from pathlib import Path

import pytest

from bot.app import clock_of, system_time
from bot.settings import Settings
from storage.moment import DatabaseTime

SHARED = "postgresql+psycopg://debrief@127.0.0.1/debrief"


def settings(folder: Path, **chosen: str) -> Settings:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "DEBRIEF_DATA_DIR": f"{folder}"}
    return Settings.model_validate(tokens | chosen)


def test_alone_on_sqlite_the_clock_of_the_machine_counts(tmp_path: Path):
    assert clock_of(settings(tmp_path)) is system_time


def test_where_several_programs_share_a_database_its_clock_counts(tmp_path: Path):
    assert isinstance(clock_of(settings(tmp_path, DEBRIEF_DATABASE_URL=SHARED)), DatabaseTime)


@pytest.mark.parametrize("url", ["", SHARED])
def test_the_clock_of_a_local_slack_comes_before_any(tmp_path: Path, url: str):
    local = {"DEBRIEF_CLOCK": "slack", "SLACK_API_URL": "http://127.0.0.1:4040/api/"}

    clock = clock_of(settings(tmp_path, **local, **({"DEBRIEF_DATABASE_URL": url} if url else {})))

    assert clock is not system_time
    assert not isinstance(clock, DatabaseTime)
