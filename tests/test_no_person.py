"""No person in any output: what an import was given of persons is in no file that is written afterwards.

Names, e-mail addresses, telephone and employee numbers and IP addresses are planted in a log and in
ratings; then new, import, check, report, run with a notebook that fails. Every byte of every output is
searched, inside archives and pictures' wrappings too, and every file name, and what was printed.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import cli
from svcmetrics import run as runs

NAMES = ("欧阳紫萱", "司徒明轩", "Wolfeschlegelstein")
PLANTED = (
    *NAMES, "ouyang.zixuan@corp.example", "situ@corp.example", "13812345678", "+86 139 8765 4321",
    "203.0.113.77", "2001:db8::77", "EMP-778812",
)  # fmt: skip
UNITS = ("财务部", "人力资源部", "信息技术部", "法务部")
WHOM = [f"{name}<{mail}>" for name, mail in zip(NAMES, PLANTED[3:6])]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a study, its outputs, and all that the commands said."""
    place = tmp_path_factory.mktemp("persons")
    home = place / "home of EMP-778812"  # the home folder, too, is called after its owner
    home.mkdir()
    study, out = home / "study", home / "out"
    log, ratings, mapping = (home / n for n in ("log.csv", "ratings.csv", "ratings.toml"))
    _log().to_csv(log, index=False)
    _ratings().to_csv(ratings, index=False)
    mapping.write_text(
        'format = "ratings"\n[columns]\nwho = "plan.rater_key"\nunit = "plan.target_id"\nscore = "rating.score"\n',
        "utf-8",
    )
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVCMETRICS_KEYS", str(place / "keys"))
        patch.setenv("HOME", str(home))
        patch.setattr("sys.stdout", said)
        patch.setattr("sys.stderr", said)
        patch.setattr(runs, "notebooks", lambda: [_failing(place)])
        commands = (
            ["new", study], ["import", log, study, "--yes"],
            ["import", ratings, study, "--mapping", mapping], ["check", study],
            ["report", study, "--out", out], ["run", study, "--out", out],
        )  # fmt: skip
        statuses = [cli.main(["--lang", "zh", *map(str, c)]) for c in commands]
    return study, out, said.getvalue(), statuses


def _log() -> pd.DataFrame:
    case = np.repeat(np.arange(40), 2)
    start = pd.Timestamp("2024-03-04 09:00") + pd.to_timedelta(case, unit="h")
    return pd.DataFrame(
        {
            "case_id": [f"C{c:03}" for c in case],
            "activity": ["提交", "审批"] * 40,
            "timestamp": start + pd.to_timedelta(np.tile([0, 90], 40), unit="min"),
            "resource": [WHOM[c % 3] for c in case],
            "phone": "13812345678",
            "ip": "203.0.113.77",
        }
    )


def _ratings() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    raters = [*WHOM, *PLANTED[5:], *(f"员工{n}号" for n in range(9))]
    rows = [(who, unit, int(draw.integers(1, 6))) for who in raters for unit in UNITS]
    table = pd.DataFrame(rows, columns=["who", "unit", "score"])
    return table.assign(email="ouyang.zixuan@corp.example", ip="2001:db8::77")


def _failing(place: Path) -> Path:
    """A notebook that shows a table with pseudonyms and then fails, far from any of our sentences."""
    cells = [
        'folder = ""\nlanguage = "zh"',
        "import svcmetrics as svc\nstudy = svc.read_study(folder)\nstudy.plan.head(3)",
        "from pathlib import Path\n(Path.home() / study.plan['rater_key'][0]).read_text()",
    ]
    notebook = {
        "cells": [
            {"cell_type": "code", "id": f"c{n}", "metadata": {"tags": ["parameters"]} if n == 0 else {},
             "outputs": [], "execution_count": None, "source": text}
            for n, text in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    path = place / "04_verify.ipynb"
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def _texts(content: bytes) -> list[str]:
    """All that can be read in a file: as it stands, unpacked, without escapes, out of base64."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [t for n in archive.namelist() for t in (n, *_texts(archive.read(n)))]
    text = content.decode("utf-8", errors="replace")
    codes = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
    inside = [
        base64.b64decode(m[: -1 if len(m) % 4 == 1 else None] + "===").decode(
            "utf-8", errors="replace"
        )
        for m in re.findall(r"[A-Za-z0-9+/]{24,}", text)
    ]
    return [text, html.unescape(text), codes, content.decode("utf-16-le", "replace"), *inside]


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_the_search_finds_what_is_planted(tmp_path):
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", "<t>&#27431;阳紫萱</t>")
    wrapped = base64.b64encode(f"picture of {NAMES[0]}".encode())
    for content in (book.getvalue(), json.dumps(NAMES[0]).encode(), wrapped):
        assert any(NAMES[0] in text for text in _texts(content))


def test_the_commands_did_their_work(made):
    study, out, said, statuses = made
    assert statuses[1:3] == [0, 0] and statuses[4] == 0, said
    assert statuses[5] == 1, "the notebook fails"
    assert (out / "brief_zh.html").exists() and len(svc.read_study(study).plan) > 40


def test_no_planted_person_is_in_any_file_or_file_name(made):
    study, out, _, _ = made
    for path in _files(study) + _files(out):
        inner = path.relative_to(study.parent).as_posix()
        texts = [inner, *_texts(path.read_bytes())]
        found = {p for p in PLANTED for text in texts if p in text}
        assert not found, f"{inner}: {found}"


def test_no_planted_person_is_in_what_was_said(made):
    study, _, said, _ = made
    # The paths are those that the user has typed.
    said = said.replace(str(study.parent), "~")
    assert not [p for p in PLANTED if p in said]


def test_no_pseudonym_of_the_study_is_in_an_output(made):
    study, out, _, _ = made
    raters = set(svc.read_study(study).plan["rater_key"]) | set(
        svc.read_study(study).event["actor_key"]
    )
    raters = {r for r in raters if isinstance(r, str) and len(r) > 6}
    assert len(raters) > 10
    for path in _files(out):
        for text in _texts(path.read_bytes()):
            assert not [r for r in raters if r in text], path.name
