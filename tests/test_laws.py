"""Laws that every registered metric obeys. A metric without a sample fails."""

from __future__ import annotations

import importlib
import pkgutil
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics.metric import REGISTRY
from tests.laws import Sample

QUESTIONS = ("design", "measure", "rate", "verify", "weigh", "score", "pilot")


def _samples() -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for question in QUESTIONS:
        package = importlib.import_module(f"svcmetrics.{question}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"svcmetrics.{question}.{module.name}")
        found |= importlib.import_module(f"tests.{question}.samples").SAMPLES
    return found


SAMPLES = _samples()
NAMES = sorted(REGISTRY)


def _run(name: str, data: pd.DataFrame | None = None, **changes: object) -> svc.Result:
    sample = SAMPLES[name]
    return REGISTRY[name].function(
        sample.data if data is None else data, **{**sample.arguments, **changes}
    )


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    text = table.select_dtypes(exclude="number").columns.tolist()
    return table.sort_values(text).reset_index(drop=True) if text else table


def _same(one: svc.Result, two: svc.Result) -> None:
    pd.testing.assert_frame_equal(
        _sorted(one.table), _sorted(two.table), check_dtype=False, rtol=1e-8, atol=1e-10
    )


def test_every_metric_has_a_sample_and_every_sample_a_metric():
    assert sorted(SAMPLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_estimates_stay_within_their_bounds_and_intervals(name):
    entry, table = REGISTRY[name], _run(name).table
    own = table[table["metric"] == name]
    low = -np.inf if entry.low is None else entry.low
    high = np.inf if entry.high is None else entry.high
    assert table["estimate"].notna().any()
    assert own["estimate"].dropna().between(low - 1e-12, high + 1e-12).all()
    whole = table.dropna(subset=["estimate", "low", "high"])
    assert (whole["low"] <= whole["estimate"] + 1e-9).all()
    assert (whole["estimate"] <= whole["high"] + 1e-9).all()
    assert (pd.to_numeric(table["n"], errors="coerce").dropna() >= 0).all()
    for chance in {"p", "p_adjusted"} & set(table):
        assert table[chance].dropna().between(0.0, 1.0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_changes_nothing(name):
    data = SAMPLES[name].data
    _same(_run(name), _run(name, data.sample(frac=1, random_state=7).reset_index(drop=True)))


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_not_changed(name):
    before = SAMPLES[name].data.copy(deep=True)
    _run(name)
    pd.testing.assert_frame_equal(SAMPLES[name].data, before)


@pytest.mark.parametrize("name", [n for n in NAMES if n in SAMPLES and not SAMPLES[n].fixed_names])
def test_the_names_of_columns_change_nothing(name):
    sample = SAMPLES[name]
    new = {c: f"列 {c}" for c in sample.data.columns}
    changed = {k: _renamed(v, new) for k, v in sample.arguments.items()}
    result = _run(name, sample.data.rename(columns=new), **changed)
    back = result.table.rename(columns={v: k for k, v in new.items()})
    pd.testing.assert_frame_equal(_sorted(back), _sorted(_run(name).table), check_dtype=False)


def _renamed(value: object, new: dict[str, str]) -> object:
    if isinstance(value, str):
        return new.get(value, value)
    if isinstance(value, (list, tuple)):
        return type(value)(_renamed(v, new) for v in value)
    return value


@pytest.mark.parametrize("name", [n for n in NAMES if n in SAMPLES and SAMPLES[n].score])
def test_a_missing_score_counts_as_a_deleted_row(name):
    sample = SAMPLES[name]
    data, gone = sample.data.copy(), sample.data.sample(n=2, random_state=3).index
    data[sample.score] = data[sample.score].astype("float64")
    data.loc[gone, sample.score] = np.nan
    _same(_run(name, data), _run(name, sample.data.drop(gone).reset_index(drop=True)))


def _whole(sample: Sample) -> bool:
    """Whether the scores of a sample are whole numbers, so that every type can hold them."""
    score = sample.data[sample.score] if sample.score else pd.Series([0.5])
    return bool(score.notna().all() and (score == score.round()).all())


@pytest.mark.parametrize("name", [n for n in NAMES if n in SAMPLES and _whole(SAMPLES[n])])
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int64", "UInt8", "Int64", "float32", "Float64", Decimal], ids=str
)
def test_the_type_of_a_number_changes_nothing(name, dtype):
    sample = SAMPLES[name]
    score = sample.data[sample.score]
    if dtype is Decimal:  # as databases give it
        typed = pd.Series([Decimal(int(v)) for v in score], index=score.index, dtype=object)
    else:
        typed = score.astype(dtype)
    _same(_run(name), _run(name, sample.data.assign(**{sample.score: typed})))


@pytest.mark.parametrize("name", [n for n in NAMES if n in SAMPLES and SAMPLES[n].score])
def test_single_precision_costs_no_more_than_its_digits(name):
    data, score = SAMPLES[name].data, SAMPLES[name].score
    short = data[score].astype("float32")
    _same(_run(name, data.assign(**{score: short.astype("float64")})),
          _run(name, data.assign(**{score: short})))  # fmt: skip


def _of_text(data: pd.DataFrame) -> list[str]:
    return [c for c in data if pd.api.types.is_string_dtype(data[c])]


# How a frame may come: from Parquet, from a database, with labels of any kind, filtered.
FRAMES = {
    "arrow": lambda d: d.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda d: d.convert_dtypes(),
    "categories": lambda d: d.astype(dict.fromkeys(_of_text(d), "category")),
    "objects": lambda d: d.astype(dict.fromkeys(_of_text(d), object)),
    "index": lambda d: d.set_index(np.arange(len(d))[::-1] * 3),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FRAMES)
def test_how_a_frame_holds_its_columns_changes_nothing(name, form):
    _same(_run(name), _run(name, FRAMES[form](SAMPLES[name].data)))


# Zero means something to these: ratios, shares, counts, minutes, a fixed scale, a criterion.
_WITH_A_ZERO = {
    "ahp", "aiken_v", "burden", "consistency", "contributions", "control", "cvi", "effect",
    "entropy", "funnel", "gate", "pooled",
}  # fmt: skip
OFFSET = 10**8


def _without_offset(table: pd.DataFrame) -> pd.DataFrame:
    """With labels as text; one that is itself a score (a category) without the offset."""
    text = table.select_dtypes(exclude="number").astype(str)
    scores = {str(OFFSET + score): str(score) for score in range(20)}
    return table.assign(**text.replace(scores))


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n in SAMPLES and SAMPLES[n].score and n not in _WITH_A_ZERO]
)
def test_a_large_offset_of_all_scores_costs_no_digits(name):
    sample = SAMPLES[name]
    scored = [c for c in (sample.score, "lo", "hi") if c in sample.data]
    changes = {
        k: tuple(v + OFFSET for v in sample.arguments[k])
        for k in ("scale",)
        if k in sample.arguments
    }
    one = _run(name)
    two = _run(name, sample.data.assign(**{c: sample.data[c] + OFFSET for c in scored}), **changes)
    assert [(f.key, f.level) for f in one.findings] == [(f.key, f.level) for f in two.findings]
    one, two = (_sorted(_without_offset(r.table)) for r in (one, two))
    assert list(one.columns) == list(two.columns) and len(one) == len(two)
    for column in one.columns:
        if not pd.api.types.is_numeric_dtype(one[column]):
            assert two[column].tolist() == one[column].tolist()
            continue
        before, after = (t[column].to_numpy("float64", na_value=np.nan) for t in (one, two))
        # A statistic stays; what is itself a score moves with the scores, never anything between.
        moved = np.where(np.abs(after) > OFFSET / 2, after - OFFSET, after)
        np.testing.assert_allclose(moved, before, rtol=1e-6, atol=1e-6, err_msg=column)


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_in_both_languages_and_names_its_source(name):
    result = _run(name)
    assert result.findings, "a result says something"
    for code in svc.lang.LANGUAGES if hasattr(svc, "lang") else ("zh", "en"):
        assert result.say(code).strip()
    assert result.about["reference"]
    assert "dropped" in result.about


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("code", ["zh", "en"])
def test_it_draws_without_a_missing_glyph(name, code):
    with svc.speaking(code):
        ax = _run(name).plot()
        ax.figure.canvas.draw()  # a missing glyph warns, and warnings are errors
    assert ax.has_data()
