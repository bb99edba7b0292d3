"""The door itself: any Python can open it, and exit statuses pass through it."""

import ast
import ensurepip
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import commands, environment
from tools.environment import ROOT

DOOR = ROOT / "dev.py"


@pytest.fixture
def door():
    spec = importlib.util.spec_from_file_location("door", DOOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_parses_on_old_pythons():
    source = DOOR.read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    assert source.startswith("# -*- coding: utf-8 -*-"), "Python 2 needs this line"
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal)
    assert not [node for node in ast.walk(tree) if isinstance(node, new)]


def test_starts_with_the_bare_standard_library(tmp_path):
    said = subprocess.run(
        [sys.executable, "-S", "-E", str(DOOR), "help"], cwd=tmp_path, capture_output=True
    )
    assert said.returncode == 0
    assert b"pilot" in said.stdout


def test_an_old_python_is_told_what_is_missing(door, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 8, 0))
    monkeypatch.setenv("PATH", "")
    assert not door.supported()
    assert door.run_with_a_supported_python() == 1
    said = capsys.readouterr().err
    assert "这个 Python 是 3.8；需要 3.11、3.12 或 3.13" in said
    assert "This Python is 3.8; svcmetrics needs 3.11, 3.12 or 3.13." in said


def test_bounds_are_those_of_pyproject(door):
    from tools import pins

    wanted = pins.project()["project"]["requires-python"]
    oldest, newest = door.OLDEST, door.NEWEST
    assert wanted == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"


@pytest.fixture
def calls(monkeypatch):
    """Record programs in place of running them; each fails with status 3."""
    made = []

    def record(command, **options):
        made.append(command[1:])
        return 3

    monkeypatch.setattr(environment, "ensure", lambda: None)
    monkeypatch.setattr(subprocess, "call", record)
    return made


PYTEST = ["-m", "pytest", "-n", "2", "--dist", "loadgroup"]


def test_status_and_arguments_pass_through(calls, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert commands.main(["test", "-k", "icc"]) == 3
    assert calls == [[*PYTEST, "-k", "icc"]]


@pytest.mark.parametrize(("ci", "java", "args"), [("", "", ["--spark"]), ("true", "java", [])])
def test_spark_is_fetched_when_asked_for_and_in_ci_with_java(
    calls, monkeypatch, capsys, ci, java, args
):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(shutil, "which", lambda name: java)
    monkeypatch.setattr(environment, "SPARK_STAMP", environment.ROOT / "no such stamp")
    monkeypatch.setattr(environment, "uv_environ", dict)
    assert commands.main(["test", *args]) == 3
    uv, pip, pytest_ = calls
    for install in (uv, pip):
        assert "--require-hashes" in install
        assert install[-1].endswith("requirements-spark.lock")
    assert "skipped" in capsys.readouterr().out
    assert pytest_ == PYTEST


@pytest.mark.parametrize(("ci", "java"), [("", "java"), ("true", "")])
def test_nobody_else_fetches_spark(calls, monkeypatch, ci, java):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(shutil, "which", lambda name: java)
    commands.main(["test"])
    commands.main(["pilot"])
    assert not [call for call in calls if "install" in call]


def test_nothing_of_the_locks_is_installed_without_its_hash(calls, monkeypatch):
    """What CI installs it installs as everybody does; both ways ask for the hash of every file."""
    monkeypatch.setattr(environment, "uv_environ", dict)
    monkeypatch.setattr(environment, "make_pip", lambda: None)
    environment.install_uv()
    environment.install_with_uv()
    with pytest.raises(environment.SetupError):
        environment.install_with_pip()
    locked = [call for call in calls if any(part.endswith(".lock") for part in call)]
    assert len(locked) == 3
    assert all("--require-hashes" in call for call in locked)
    rest = [call for call in calls if call not in locked]
    assert all("--no-deps" in call and call[-2:] == ["-e", str(ROOT)] for call in rest)


def test_ci_comes_through_the_same_door():
    assert "exec python3 dev.py test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_a_file_with_another_hash_is_refused(tmp_path):
    """Not only asked for: a package whose hash is not the one in the lock stays outside."""
    wheel = tmp_path / "harmless-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "harmless-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n",
        )
        archive.writestr(
            "harmless-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("harmless-1.0.dist-info/RECORD", "")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "requirements.lock"
    pip = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    if not pip:
        pytest.skip("this Python brings no pip along")
    options = [f"{pip[-1]}/pip", *environment.PIP_INSTALL[2:], "--no-index", "--no-cache-dir"]
    options += ["--find-links", str(tmp_path), "--target", str(tmp_path / "to"), "-r", str(lock)]
    done = []
    for value in ("0" * 64, right):
        lock.write_text(f"harmless==1.0 --hash=sha256:{value}\n", "utf-8")
        done.append(subprocess.run([sys.executable, *options], capture_output=True, text=True))
    assert done[0].returncode != 0 and "hash" in done[0].stderr.lower()
    assert done[1].returncode == 0, done[1].stderr


def test_spark_is_not_fetched_twice(calls, monkeypatch, tmp_path):
    stamp = tmp_path / "stamp"
    stamp.write_text(hashlib.sha256(environment.SPARK_LOCK.read_bytes()).hexdigest(), "utf-8")
    monkeypatch.setattr(environment, "SPARK_STAMP", stamp)
    assert environment.ensure_spark()
    assert calls == []


def test_pilot_stops_at_the_first_failure(calls):
    assert commands.main(["pilot"]) == 3
    assert calls == [["run", "data/pilot", "--out", "outputs/pilot"]]


def test_check_runs_everything(calls):
    assert commands.main(["check"]) == 3
    assert len(calls) >= 5


def test_unknown_command(calls, capsys):
    assert commands.main(["tset"]) == 2
    assert "No such command: tset" in capsys.readouterr().err
    assert calls == []


def test_environment_changes_with_its_locks(monkeypatch, tmp_path):
    before = environment.wanted_stamp()
    assert before == environment.wanted_stamp()
    other = tmp_path / "requirements.lock"
    other.write_text(environment.LOCK.read_text("utf-8") + "# more\n", "utf-8")
    monkeypatch.setattr(environment, "LOCK", other)
    assert before != environment.wanted_stamp()


def test_unwanted_variables_stay_outside(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    kept = environment.clean_environ()
    assert "PYTHONDONTWRITEBYTECODE" not in kept
    assert "PIP_TARGET" not in kept
    assert kept["PIP_USER"] == "0"
