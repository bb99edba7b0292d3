"""Answers to items: alpha and omega."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from svcmetrics import verify
from tests.nasty.told import ask

SAYS = {
    "I01": {"answers.constant"}, "I02": {"answers.one_item"}, "I03": {"answers.no_variation"},
    "I04": {"alpha.reversed"}, "I05": {"alpha.few"}, "I06": {"answers.nobody_left"},
    "I07": {"answers.identical"}, "I08": {"omega.too_few"}, "I09": {"omega.constant"},
    "I10": {"omega.heywood"}, "I11": {"answers.listwise"}, "I12": {"omega.nothing_common"},
}  # fmt: skip
# Where only the factor model has to be refused; alpha may stand.
_FACTORS = ("I08", "I09")
_NAMED = {"I01": "条目5", "I04": "条目4", "I07": "条目1 = 条目6", "I09": "条目6", "I10": "条目1"}


def play(case: Any, wide: Any, folder: Path) -> None:
    """The exact alpha with the odd item named, or a refusal."""
    long = (
        wide.rename_axis("person").reset_index().melt("person", var_name="item", value_name="score")
    )
    words = {"person": "person", "item": "item", "score": "score"}
    alpha, omega = (ask(f, long, **words) for f in (verify.alpha, verify.omega))
    assert alpha.keys | omega.keys >= SAYS[case.id]
    assert _NAMED.get(case.id, "") in alpha.text + omega.text
    if "cronbach" in case.truth:
        assert alpha.estimate("alpha", "raw") == pytest.approx(case.truth["cronbach"], abs=1e-10)
    if case.id == "I11":  # one form of 200 is left out, by name; the choice is the user's
        told = alpha.text
        assert "200" in told and "条目3" in told and "pairwise" in told
    elif case.want == "refuse":
        assert omega.refused and (alpha.refused or case.id in _FACTORS)
    if case.id in ("I07", "I10"):
        assert omega.refused
