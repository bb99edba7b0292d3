"""Printed tables of papers against the package, to half a unit of the last printed digit.

A file of ``published/`` holds cases; one with ``call`` is run here (others have tests of their
own). ``wide``: rows × columns, "" for missing; ``counts``: rows × categories 1, 2, …, where the
raters are not told apart; ``long``: rows under ``columns``. ``like`` takes what is not said from
another case of the file. ``expected``: where to look, and the printed number with its digits.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parent / "published"


def _cases() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        cases = tomllib.loads(path.read_text("utf-8"))
        for name, case in cases.items():
            whole = {**cases[case["like"]], **case} if "like" in case else case
            if "call" in whole:
                found[f"{path.stem}.{name}"] = whole
    return found


CASES = _cases()


def _table(case: dict[str, Any]) -> pd.DataFrame:
    if "long" in case:
        return pd.DataFrame(case["long"], columns=case["columns"])
    rows = case.get("wide")
    if rows is None:
        rows = [np.repeat(np.arange(1, len(r) + 1), r).tolist() for r in case["counts"]]
    cells = [(i, j, v) for i, row in enumerate(rows) for j, v in enumerate(row) if v != ""]
    return pd.DataFrame(cells, columns=[case["row"], case["column"], case["value"]])


@pytest.mark.parametrize("name", CASES)
def test_the_printed_numbers_come_out(name):
    case = CASES[name]
    folder, function = case["call"].split(".")
    words = case.get("named", [case[k] for k in ("row", "column", "value") if k in case])
    arguments = {w: w for w in words} | case.get("arguments", {})
    table = getattr(import_module(f"svcmetrics.{folder}"), function)(
        _table(case), **arguments
    ).table
    for entry in case["expected"]:
        rows = table
        for column, value in entry["where"].items():
            rows = rows[rows[column].astype(str) == str(value)]
        assert len(rows) == 1, entry
        off = abs(rows[entry["column"]].iloc[0] - entry["value"])
        assert off <= 0.5 * 10.0 ** -entry["digits"] * (1 + 1e-9), (entry, rows.to_dict("records"))
