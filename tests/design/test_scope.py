"""A catalogue counted by hand."""

import pandas as pd
import pytest

from svcmetrics import design
from svcmetrics.problems import TableError
from tests.design.samples import CATALOGUE, SAMPLES

ARGUMENTS = dict(SAMPLES["scope"].arguments)


def test_the_funnel_counts():
    table = design.scope(CATALOGUE, **ARGUMENTS).table.set_index("variant")
    counts = table["count"].to_dict()
    assert counts["listed"] == 6
    assert [counts[k] for k in ("service", "software", "hardware", "processed_material")] == [
        3,
        1,
        1,
        1,
    ]
    assert [counts[k] for k in ("in_scope", "routine", "nonroutine", "emergency")] == [3, 2, 0, 1]
    assert table.loc["in_scope", "estimate"] == 0.5


def test_when_most_rows_are_no_service_it_says_process_management():
    mostly = CATALOGUE.drop(index=0)
    keys = {f.key for f in design.scope(mostly, **ARGUMENTS).findings}
    assert "scope.process_management" in keys
    services = CATALOGUE[CATALOGUE["kind"] == "service"]
    keys = {f.key for f in design.scope(services, **ARGUMENTS).findings}
    assert keys == {"scope.funnel"}


def test_rows_without_a_reason_undecided_or_contradictory_are_named():
    data = CATALOGUE.assign(
        why=[None, " ", "c", "d", "e", "f"],
        inside=pd.array([True, True, True, None, False, False], dtype="boolean"),
    )
    found = {f.key: f.values.get("names") for f in design.scope(data, **ARGUMENTS).findings}
    assert found["scope.no_reason"] == ["工资发放", "合同审查"]
    assert found["scope.undecided"] == ["办公用品"]
    assert found["scope.not_a_service"] == ["系统开发"]


@pytest.mark.parametrize("column", ["kind", "often", "inside"])
def test_unknown_words_are_errors(column):
    with pytest.raises(TableError) as caught:
        design.scope(CATALOGUE.assign(**{column: "maybe"}), **ARGUMENTS)
    assert caught.value.problems[0].key == "unknown_word"


def test_an_empty_catalogue_is_refused():
    result = design.scope(CATALOGUE.head(0), **ARGUMENTS)
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()
