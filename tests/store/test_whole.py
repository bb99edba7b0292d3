"""A file is the old one or the new one: writers that are killed in the middle, and disks that are full."""

from __future__ import annotations

import ast
import os
import signal
import time
from pathlib import Path

import pytest

import svcmetrics as svc
from svcmetrics.io.whole import write_whole
from svcmetrics.problems import OutputError
from svcmetrics.simulate import company

# A limit on the size of files stands for a disk that is full; fork, for a program that is killed.
resource = pytest.importorskip("resource")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

PACKAGE = Path(svc.__file__).parent
# Calls that write to a path directly: only drafts, keys and the bytes of a picture may use them.
_DIRECT = {"write_text", "write_bytes", "to_csv", "to_parquet", "to_excel", "savefig"}
_DRAFTS = {
    "io/study_out.py",  # a folder that takes its place when it is complete
    "io/template.py",
    "io/merge_study.py",
    "plots/__init__.py",  # into memory
    "plots/style.py",
}


def test_no_module_writes_to_a_file_in_place():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            first = node.args and not isinstance(node.args[0], ast.Constant)
            if node.func.attr in _DIRECT and first:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found <= _DRAFTS, found - _DRAFTS


def test_a_report_that_is_killed_while_written_is_whole_old_or_whole_new(tmp_path):
    target, size = tmp_path / "report.html", 3_000_000
    write_whole(target, b"0" * size)
    seen = set()
    for number in range(1, 11):
        child = os.fork()
        if not child:
            write_whole(target, str(number % 10).encode() * size)
            os._exit(0)
        time.sleep(number * 0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        content = target.read_bytes()
        assert len(content) == size
        assert len(set(content)) == 1
        seen.add(content[:1])
    assert seen


def test_a_full_disk_leaves_the_old_study_and_is_told_in_both_languages(tmp_path):
    study = company(events=200, ratings=400)
    folder = svc.write_study(study, tmp_path / "study")
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            svc.write_study(study, folder)
        except OutputError as error:
            os.write(said, str(error).encode())
        finally:
            os._exit(0)
    os.close(said)
    with os.fdopen(heard) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert "study" in told and len(told.splitlines()) >= 2
    assert before == {f.name: f.read_bytes() for f in folder.iterdir()}
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_a_writer_that_fails_leaves_no_draft(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "a.json", b"{}")
    assert not list(tmp_path.iterdir())
