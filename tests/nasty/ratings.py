"""Ratings: icc and agreement, and whatever else a user would turn to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from svcmetrics import score, verify
from tests.nasty.told import Told, ask

_COLUMNS = {"target": "target", "rater": "rater", "score": "score"}
# What the user must be told, by icc or by agreement.
SAYS = {
    "R01": {"icc.perfect"}, "R02": {"icc.no_variation", "agreement.no_variation"},
    "R03": {"icc.one_rater", "agreement.one_rater"}, "R04": {"icc.one_target", "agreement.one_target"},
    "R05": {"icc.no_scores", "agreement.no_scores"}, "R06": {"icc.incomplete", "agreement.incomplete"},
    "R07": {"icc.never_two", "agreement.never_two"}, "R08": {"oddities.disconnected"},
    "R09": {"oddities.flat"}, "R10": {"grid.twice"}, "R11": {"duplicate_rows"}, "R13": {"not_a_number"},
    "R14": {"grid.far"}, "R15": {"missing_code"}, "R16": {"not_a_number"},
    "R17": {"icc.negative", "agreement.negative"}, "R19": {"icc.incomplete"}, "R21": {"grid.alike"},
    "R22": {"grid.alike"}, "R25": {"agreement.paradox"}, "R26": {"oddities.own_unit"},
}  # fmt: skip
# Warned cases whose number must be the exact one all the same.
_EXACT = ("R06", "R09", "R10", "R25")


def play(case: Any, table: Any, folder: Path) -> None:
    """The right number, a named warning, or a refusal of both coefficients."""
    before = table.copy(deep=True)
    icc = ask(verify.icc, table, **_COLUMNS)
    alpha = ask(verify.agreement, table, weights="quadratic", **_COLUMNS)
    assert before.equals(table), "the input was changed"
    assert icc.keys | alpha.keys >= SAYS.get(case.id, set())
    if case.want == "refuse":
        assert icc.refused and alpha.refused
    if case.want == "value":
        assert not icc.refused and not alpha.refused
    if case.want == "value" or case.id in _EXACT:
        _same_numbers(case.truth, icc, alpha)
    if case.id in MORE:
        MORE[case.id](table, icc, alpha)


def _same_numbers(truth: dict[str, Any], icc: Told, alpha: Told) -> None:
    for name, value in truth.items():
        if name.startswith("ICC"):
            assert icc.estimate("icc", name) == pytest.approx(value, abs=1e-8)
    if "alpha_interval" in truth:
        found = alpha.estimate("agreement", "krippendorff")
        assert found == pytest.approx(truth["alpha_interval"], abs=1e-10)
    if "raw_agreement" in truth:
        assert alpha.estimate("agreement", "raw_agreement") == truth["raw_agreement"]


def _all_fives(table: Any, icc: Told, alpha: Told) -> None:
    assert alpha.estimate("agreement", "raw_agreement") == 1
    assert "流于形式" in icc.text and "100%" in icc.text


def _two_islands(table: Any, icc: Told, alpha: Told) -> None:
    assert icc.value("oddities.disconnected", "parts") == 2
    for function in (verify.severity, score.adjust):
        told = ask(function, table, **_COLUMNS)
        assert told.refused or any("disconnect" in k or "block" in k for k in told.keys), told.keys


def _straight(table: Any, icc: Told, alpha: Told) -> None:
    assert list(icc.value("oddities.flat", "raters")) == ["员工04"]
    assert "100%" in icc.text


def _twice(table: Any, icc: Told, alpha: Told) -> None:
    assert icc.result.about["dropped"] == {"duplicate": 1} and icc.value("grid.twice", "count") == 1


def _contradiction(table: Any, icc: Told, alpha: Told) -> None:
    assert icc.error.problems[0].rows == (3, 24)


def _slip(table: Any, icc: Told, alpha: Told) -> None:
    assert icc.value("grid.far", "values") == ["55"]
    strict = ask(verify.agreement, table, categories=range(1, 6), **_COLUMNS)
    assert strict.refused and "55" in strict.text and "off_scale" in strict.keys


def _words(table: Any, icc: Told, alpha: Told) -> None:
    assert all(word in icc.text for word in ("4分", "优"))


def _one_person(table: Any, icc: Told, alpha: Told) -> None:
    assert (icc.value("grid.alike", "count"), icc.value("grid.alike", "merged")) == (6, 4)


def _sevens(table: Any, icc: Told, alpha: Told) -> None:
    assert all(kind in icc.text for kind in ("'007'", "'7'", " 7"))


def _own(table: Any, icc: Told, alpha: Told) -> None:
    assert icc.value("oddities.own_unit", "count") == 4
    without = ask(verify.icc, table, rater_unit="rater_dept", **_COLUMNS)
    assert without.result.about["dropped"]["own_unit"] == 4


MORE = {
    "R02": _all_fives, "R08": _two_islands, "R09": _straight, "R10": _twice, "R11": _contradiction,
    "R14": _slip, "R16": _words, "R21": _one_person, "R22": _sevens, "R26": _own,
}  # fmt: skip
