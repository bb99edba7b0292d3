"""Fixtures that several folders of tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """The folder of a real data set beside the project; a test that asks in vain is skipped."""

    def find(name: str) -> Path:
        folder = SHARED / "data" / name
        if not folder.is_dir():
            pytest.skip(f"the real data set {name} is not beside the project")
        return folder

    return find


@pytest.fixture(scope="session", autouse=True)
def _keys_and_ledgers_apart(tmp_path_factory):
    """Keys and ledgers of tests never lie among those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVCMETRICS_KEYS", str(tmp_path_factory.mktemp("keys")))
        yield


@pytest.fixture(autouse=True)
def _chinese_by_default():
    """Each test starts in the default language, whatever the one before has set."""
    from svcmetrics import lang

    with lang.speaking("zh"):
        yield


@pytest.fixture(scope="session")
def example_study_folder() -> Path:
    """The committed example study."""
    return ROOT / "data" / "pilot"


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory):
    """A Spark session on this machine; skipped, with the reason, where there cannot be one."""
    from tests import spark

    if reason := spark.missing():
        pytest.skip(reason)
    session = spark.session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()
