"""Readers take any bytes: a table, or a refusal in sentences; never a traceback of a library.

Seeds are made by code: one small good file of each format. Each is then damaged: bytes changed, cut,
doubled, put elsewhere; in archives also what is inside. ``python3 dev.py fuzz`` plays more of it.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.study_files import inspect_study
from svcmetrics.problems import InputError
from tests.io import foreign, workflows

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
# Bytes that mean something to one of the formats.
BITS = (
    b"\x00", b"\xff\xfe", b'"', b"'", b",", b"\r", b"\n", b"=1+1", b"&lt;", b"<!DOCTYPE a>", b"\x1f\x8b",
    b"PK\x03\x04", b"9" * 30, b"1e999", b"NaN", b"-1", b"[[[[", b"}", b"\xe6\x96", b"\x81", b"2024-02-30",
    b"<date/>", b"\\ud800", b"null", b"'''", b"#REF!",
)  # fmt: skip
LOG = (
    "case_id,activity,timestamp,resource\nA,提交,2024-03-01 09:00,u1\nA,审批,2024-03-01 11:00,u2\n"
)


def _xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in LOG.splitlines():
        book.active.append(line.split(","))
    book.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pd.read_csv(io.StringIO(LOG)).to_parquet(out)
    return out.getvalue()


def _xes() -> bytes:
    event = (
        '<event><string key="concept:name" value="提交"/>'
        '<date key="time:timestamp" value="2024-03-01T09:00:00+08:00"/></event>'
    )
    case = f'<trace><string key="concept:name" value="A"/>{event * 2}</trace>'
    return f'<?xml version="1.0" encoding="UTF-8"?><log xes.version="1.0">{case}</log>'.encode()


SEEDS = {
    "log.csv": LOG.encode(),
    "gb.csv": LOG.encode("gb18030"),
    "log.xlsx": _xlsx(),
    "log.parquet": _parquet(),
    "log.xes": _xes(),
    "log.json": json.dumps({"issues": [{"key": "A-1", "fields": {"created": "2024-03-01"}}]}).encode(),
}  # fmt: skip
TABLES = {
    "unit.csv": "unit_id,name_zh,name_en,is_service_unit\nFIN,财务部,Finance,true\n".encode(),
    "service.csv": b"service_id,name_zh,provider_id,promise_h\nS1,x,FIN,8\n",
    "study.toml": b'name = "x"\nseed = 1\n[groups]\nraters = 5\n',
}
damage = st.lists(
    st.tuples(
        st.sampled_from(("put", "over", "cut", "double", "flip")),
        st.floats(0, 1),
        st.sampled_from(BITS) | st.binary(min_size=1, max_size=6),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
often = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck), database=None,
)  # fmt: skip


def _damaged(content: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for kind, where, bit in changes:
        at = int(where * len(content))
        head, tail = content[:at], content[at:]
        if kind == "put":
            content = head + bit + tail
        elif kind == "over":
            content = head + bit + tail[len(bit) :]
        elif kind == "cut":
            content = head + tail[len(bit) ** 2 :]
        elif kind == "double":
            content = head + tail + tail
        else:
            content = head + bytes(b ^ bit[0] for b in tail[:1]) + tail[1:]
    return content


def _inside(content: bytes, changes: list[tuple[str, float, bytes]], which: int) -> bytes:
    """An archive with one of its members damaged, otherwise sound."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        for name in names:
            part = old.read(name)
            new.writestr(
                name, _damaged(part, changes) if name == names[which % len(names)] else part
            )
    return out.getvalue()


def _answered(name: str, content: bytes, folder: Path) -> None:
    path = folder / name
    path.write_bytes(content)
    said = []
    try:
        said = [propose(path).describe()]
    except InputError as error:
        said = [error.say(code) for code in ("zh", "en")]
    assert all(text.strip() and "Traceback" not in text for text in said)


@pytest.mark.parametrize("name", SEEDS)
@often
@given(changes=damage)
def test_a_damaged_foreign_file_is_read_or_refused(name, tmp_path_factory, changes):
    _answered(name, _damaged(SEEDS[name], changes), tmp_path_factory.getbasetemp())


@often
@given(changes=damage, which=st.integers(0, 20))
def test_a_workbook_damaged_inside_is_read_or_refused(tmp_path_factory, changes, which):
    _answered("in.xlsx", _inside(SEEDS["log.xlsx"], changes, which), tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("name", TABLES)
@often
@given(changes=damage)
def test_a_study_with_a_damaged_file_is_checked_and_told(name, tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("study")
    for other, content in TABLES.items():
        (folder / other).write_bytes(_damaged(content, changes) if other == name else content)
    _, problems = inspect_study(folder)
    for problem in problems:
        assert problem.say("zh").strip() and problem.say("en").strip()


SYSTEMS = ("dingtalk", "feishu", "wecom", "jira", "weaver", "servicenow", "wjx", "qualtrics")


def _exported(system: str, folder: Path) -> Path:
    """A small good export of a system that people import from."""
    if system in ("dingtalk", "feishu", "wecom", "jira"):
        return workflows.write_json(folder / f"{system}.json", getattr(workflows, system)())
    tables = {"wjx": foreign.WJX_TEXT, "qualtrics": foreign.QUALTRICS}
    rows = tables[system] if system in tables else getattr(workflows, system)()
    return foreign.write_csv(folder / f"{system}.csv", rows)


@often
@given(system=st.sampled_from(SYSTEMS), changes=damage)
def test_a_damaged_export_is_imported_to_the_end_or_refused(tmp_path_factory, system, changes):
    folder = tmp_path_factory.mktemp("export")
    path = _exported(system, folder)
    path.write_bytes(_damaged(path.read_bytes(), changes))
    said = ["imported"]
    try:
        import_file(path, folder / "study")
    except InputError as error:
        said = [error.say(code) for code in ("zh", "en")]
    assert all(text.strip() and "Traceback" not in text for text in said)


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_themselves_are_good(name, tmp_path):
    if name != "log.json":  # too short to be told from other exports
        path = tmp_path / name
        path.write_bytes(SEEDS[name])
        assert propose(path).describe()
