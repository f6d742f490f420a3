"""What tests of reliability may ask for: a server that may be stopped at once, and a nursery of replicas."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import left_out
from tests.databases import NoServerError, Restartable, a_restartable_server
from tests.reliability.replicas import a_nursery


@pytest.fixture(scope="session")
def own_server() -> Iterator[Restartable]:
    try:
        with a_restartable_server() as server:
            yield server
    except NoServerError as why:
        left_out(f"This test restarts a PostgreSQL server, and there is none ({why}).")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Path]:
    """The door behind which replicas are born."""
    with a_nursery() as door:
        yield door
