"""What many-facet Rasch says at its limits: hand-made tables just below, at and above each of them."""

from types import SimpleNamespace as Thing

import numpy as np
import pandas as pd
import pytest

from svcmetrics.verify import facets_findings as said


def trimmed(counts=(10, 30, 20), **other):
    """A study with so many ratings in each category."""
    x = np.repeat(np.arange(len(counts)), counts)
    own = {"x": x, "categories": [1.0, 2.0, 4.0][: len(counts)] + [5.0] * (len(counts) - 3),
           "data": Thing(top=len(counts) - 1), "labels": [["甲", "乙"], ["r1", "r2", "r3"]],
           "skipped": [], "repeated": 0, "blocks": (np.array([0, 0]), np.array([0, 0, 0]))}  # fmt: skip
    return Thing(**{**own, **other})


def fitted(*thresholds, **other):
    own = {"thresholds": np.array([thresholds], dtype=float), "loose": [], "converged": True,
           "limits": None, "steps": 7}  # fmt: skip
    return Thing(**{**own, **other})


def rising(estimate=(-1.0, 0.0, 1.0), outfit=(1.0, 1.0, 1.0)):
    return pd.DataFrame({"element": ["1", "2", "4"], "estimate": estimate, "outfit": outfit})


def keys(found):
    return [f.key.removeprefix("facets.") for f in found]


def test_ten_ratings_of_each_category_are_enough():
    assert keys(said._categories(trimmed(), fitted(-1, 1), rising())) == []
    thin = said._categories(trimmed((9, 30, 8)), fitted(-1, 1), rising())
    assert keys(thin) == ["thin"]
    assert (thin[0].values["categories"], thin[0].values["least"]) == (["1", "4"], 10)


def test_only_what_falls_is_out_of_order():
    """Thresholds −1, −1 are not in disorder; nor do equal averages fall."""
    assert keys(said._categories(trimmed(), fitted(-1, -1), rising((0.5, 0.5, 1.0)))) == []
    found = said._categories(trimmed(), fitted(1, -1, -2), rising((0.5, 0.4, 0.3)))
    assert keys(found) == ["disordered", "average_falls"]
    assert [f.values["count"] for f in found] == [2, 2]


def test_an_outfit_of_two_is_no_misfit_of_a_category():
    assert keys(said._categories(trimmed(), fitted(-1, 1), rising(outfit=(2.0, 1, 1)))) == []
    odd = said._categories(trimmed(), fitted(-1, 1), rising(outfit=(2.001, 1, 2.5)))
    assert keys(odd) == ["category_misfit"]
    assert odd[0].values["categories"] == ["1", "4"]


@pytest.mark.parametrize(
    ("counts", "uneven"),
    [((30, 10, 20), True), ((10, 20, 30), False), ((30, 20, 10), False), ((20, 20, 10), False),
     ((10, 30, 30), False), ((30, 20, 20, 25), True), ((30, 20, 20, 15), False)],
)  # fmt: skip
def test_frequencies_are_uneven_when_they_fall_and_rise_again(counts, uneven):
    own = pd.DataFrame({"element": "x", "estimate": range(len(counts)), "outfit": 1.0})
    found = said._categories(trimmed(counts), fitted(-1, 1), own)
    assert keys(found) == (["uneven"] if uneven else [])
    if uneven:
        assert found[0].values["counts"] == list(counts)


@pytest.mark.parametrize(
    ("points", "thresholds", "close", "far"),
    [
        (4, (0, 1.4, 6.4), 0, 0),  # four points: 1.4 to 5 logits
        (4, (0, 1.3, 6.31), 1, 1),
        (4, (0, 0, 1.5), 1, 0),  # equal: too close, not in disorder
        (4, (1, 0, 1.5), 0, 0),  # in disorder, which is another finding
        (5, (0, 1.0, 2.0, 3.0), 0, 0),  # five points: from 1 logit on
        (5, (0, 0.99, 1.98, 6.99), 2, 1),
    ],
)
def test_thresholds_lie_one_to_five_logits_apart(points, thresholds, close, far):
    found = said._spacing(trimmed((10,) * points), fitted(*thresholds))
    least = 1.0 if points == 5 else 1.4
    wanted = {"close": close, "far": far, "least": least, "most": 5.0}
    assert [dict(f.values) for f in found] == ([wanted] if close + far else [])


def test_mean_squares_between_a_half_and_one_and_a_half_fit():
    def people(*infit):
        return pd.DataFrame({"element": [f"e{k}" for k in range(len(infit))], "infit": infit})

    assert keys(said._fit(people(0.5, 1.5), people(1.5, 0.2))) == []
    found = said._fit(people(0.49, 1.51, 1.6), people(1.51))
    assert keys(found) == ["misfit", "items"]
    assert dict(found[0].values) == {"noisy": 2, "muted": 1, "raters": 3}
    assert found[1].values["items"] == ["e0"]
    assert keys(said._fit(people(0.4), people())) == ["misfit"]
    assert keys(said._fit(people(1.6), people())) == ["misfit"]


def test_scores_run_against_the_scale_when_the_upper_limit_is_below_zero():
    """Fisher: atanh r + 2.576 / √(n − 3) < 0; for n = 103 that is r below −0.2520, by hand."""
    own = pd.DataFrame({
        "element": ["a", "b", "c", "d", "e"], "ratings": [103, 103, 3, 4, 103],
        "correlation": [-0.2525, -0.2515, -1.0, -1.0000000000000002, 1.0],
    })  # fmt: skip
    assert said._against(own).tolist() == [True, False, False, True, False]
    found = said._reversed(own, own.iloc[:1])
    assert keys(found) == ["reversed", "turned"]
    assert found[0].values["items"] == ["a"]
    assert dict(found[1].values) == {"count": 2, "raters": 5}
    assert said._reversed(own.iloc[[1]], own.iloc[[4]]) == []


def test_of_four_ratings_only_a_clear_correlation_is_one():
    """n = 4: the limit is tanh(2.576) = 0.98850."""
    own = pd.DataFrame({"ratings": [4, 4], "correlation": [-0.9890, -0.9880]})
    assert said._against(own).tolist() == [True, False]


def test_a_bias_is_told_below_five_percent_only():
    def told(p):
        rows = pd.DataFrame({"p_adjusted": p, "estimate": [-0.8, 0.6, 2.0]})
        of = {"bias": rows, "bias_chi_square": pd.DataFrame({"p": [0.00001]})}
        (found,) = said._bias(of, ("target", "rater"))
        return found

    one = told([0.01, 0.04, 0.05])
    assert one.key == "facets.bias"
    assert dict(one.values) == {"first": "target", "second": "rater", "count": 2, "of": 3,
                                "largest": 0.8, "p": 0.001}  # fmt: skip
    none = told([0.05, 0.5, 0.9])
    assert (none.key, none.values["count"], none.values["largest"]) == ("facets.no_bias", 0, 0.0)
    assert said._bias({}, ("target", "rater")) == []


def test_places_left_open_are_a_refusal_that_comes_first():
    of = {"facets": pd.DataFrame({"estimate": [1.0, 3.0, 0.0, 1.0, 2.0]}),
          "reliability": pd.DataFrame({"estimate": [0.9]})}  # fmt: skip
    columns = ["department", "rater", "item"]
    whole = said._first(trimmed(), fitted(-1, 1), of, columns)[0]
    assert whole.key == "facets.reading"
    assert dict(whole.values) == {"targets": 2, "raters": 3, "ratings": 60, "reliability": 0.9,
                                  "severity": 1.0, "spread": pytest.approx(2**0.5)}  # fmt: skip
    apart = trimmed(blocks=(np.array([0, 1]), np.array([0, 0, 1])))
    (found,) = said._first(apart, fitted(-1, 1, loose=[1]), of, columns)
    assert (found.key, found.level, found.values["blocks"]) == (
        "facets.disconnected", "refused", 2)  # fmt: skip
    (found,) = said._first(trimmed(), fitted(-1, 1, loose=[2]), of, columns)
    assert (found.key, found.values["facets"]) == ("facets.aliased", ["item"])
    one = {**of, "reliability": pd.DataFrame({"estimate": [np.nan]})}
    assert keys(said._first(trimmed(), fitted(-1, 1), one, columns)) == ["reading_one"]


def test_limits_are_told_each_on_its_own():
    rows = pd.DataFrame({"note": ["", "extreme", "extreme"]})
    plain = rows.assign(note="")
    t, f = trimmed(), fitted(-1, 1)
    assert said._limits(t, f, plain, "joint_corrected") == []
    (narrow,) = said._limits(t, f, plain, "joint")
    assert dict(narrow.values) == {"ratings": 60, "targets": 2}
    assert keys(said._limits(t, fitted(-1, 1, loose=[1]), plain, "joint")) == []
    found = said._limits(
        trimmed(skipped=[3.0], repeated=1, blocks=(np.array([0, 1]), np.array([0, 1]))),
        fitted(-1, 1, converged=False), rows, "marginal",
    )  # fmt: skip
    assert keys(found) == ["extreme", "skipped", "repeated", "sample", "not_converged"]
    assert [dict(f.values) for f in found] == [
        {"count": 2}, {"scores": ["3"]}, {"count": 1}, {"blocks": 2}, {"steps": 7},
    ]  # fmt: skip


def test_joint_measures_drawn_apart_by_a_tenth_are_worth_a_word(monkeypatch):
    """A factor of 0.9 means that measures stand 1/0.9 − 1 = 11% too far apart."""

    def told(factor):
        monkeypatch.setattr(said.rasch_correct, "factors", lambda _: ((factor, 0.95), None))
        return said._drawn(trimmed(), fitted(-1, 1, limits=object()))

    (found,) = told(0.9)
    assert found.values["share"] == pytest.approx(1 / 9)
    assert told(1 / 1.1) == []
    assert told(0.92) == []
    assert told(1.2) == []
    assert told(-3.0)[0].values["share"] == pytest.approx(99.0)


def test_the_rows_of_a_metric_are_kept_together():
    names = ["facets", "facets", "category", "facets", "reliability"]
    of = said._by_metric(pd.DataFrame({"metric": names, "k": range(5)}))
    assert {name: own["k"].tolist() for name, own in of.items()} == {
        "facets": [0, 1, 3], "category": [2], "reliability": [4],
    }  # fmt: skip
