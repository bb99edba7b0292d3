"""A catalogue counted by hand."""

import pandas as pd
import pytest

from svcmetrics import design
from svcmetrics.problems import TableError
from svcmetrics.tables import words_of
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


def catalogue(kinds: list[str], **more) -> pd.DataFrame:
    plain = {"service_id": [f"s{k}" for k in range(len(kinds))], "output_kind": kinds,
             "relation": None, "routine": "routine", "in_scope": True, "reason": "x"}  # fmt: skip
    return pd.DataFrame({**plain, **more})


@pytest.mark.parametrize(("others", "share"), [(4, None), (5, 100 * 5 / 9)])
def test_fewer_than_half_services_are_process_management(others, share):
    other = next(w for w in words_of("output_kind") if w != "service")
    result = design.scope(catalogue(["service"] * 4 + [other] * others), reason="reason")
    found = {f.key: f.values for f in result.findings}
    assert ("scope.process_management" in found) is (share is not None)
    if share:
        assert found["scope.process_management"]["share"] == pytest.approx(share)
    assert found["scope.not_a_service"]["count"] == others
    assert result.table.set_index("variant").loc["service", "count"] == 4


@pytest.mark.parametrize("count", [8, 9])
def test_eight_names_are_told_and_more_are_only_counted(count):
    rows = catalogue(["service"] * 12)
    rows["in_scope"] = [None] * count + [True] * (12 - count)
    rows["reason"] = ["  ", None] + ["x"] * 10
    result = design.scope(rows, reason="reason")
    found = {f.key: f.values for f in result.findings}
    assert found["scope.undecided"]["count"] == count
    assert found["scope.undecided"]["names"] == [f"s{k}" for k in range(8)] + ["…"] * (count - 8)
    assert found["scope.no_reason"] == {"names": ["s0", "s1"], "count": 2}
    assert "scope.not_a_service" not in found
    table = result.table.set_index("variant")
    assert table.loc["in_scope", ["count", "n", "estimate"]].tolist() == [
        12 - count, 12, (12 - count) / 12
    ]  # fmt: skip
    assert table.loc["routine", "count"] == 12 - count


def test_what_is_not_of_a_known_word_is_no_service_only_when_it_is_told():
    rows = catalogue(["service", None, "service"], in_scope=[True, True, False])
    keys = [f.key for f in design.scope(rows, reason=None).findings]
    assert "scope.not_a_service" not in keys and "scope.no_reason" not in keys
    empty = design.scope(rows.head(0), reason=None)
    assert [f.key for f in empty.findings] == ["scope.empty"]
    assert empty.table["estimate"].isna().all()
