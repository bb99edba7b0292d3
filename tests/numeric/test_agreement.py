"""Coefficients of agreement from their definitions, rating by rating, on tables with gaps."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import agreement, agreement_sums
from svcmetrics.numeric.agreement import COEFFICIENTS

VALUES = np.array([1.0, 2.0, 4.0, 5.0])
KINDS = ("nominal", "linear", "quadratic", "ordinal", "ratio")
NONE = -1


def weight(kind, k, m, values=VALUES):
    """Agreement of two categories (by position), as the textbook prints it."""
    a, b, q = values[k], values[m], len(values)
    wide = max(values) - min(values)
    if kind == "nominal":
        return float(k == m)
    if kind == "linear":
        return 1 - abs(a - b) / wide
    if kind == "quadratic":
        return 1 - (a - b) ** 2 / wide**2
    if kind == "ordinal":
        spanned = len(list(combinations(range(min(k, m), max(k, m) + 1), 2)))
        return 1 - spanned / len(list(combinations(range(q), 2)))
    most = max(((c - d) / (c + d)) ** 2 for c, d in combinations(values, 2))
    return 1 - ((a - b) / (a + b)) ** 2 / most


def distance(kind, k, m, marginal, values=VALUES):
    a, b = values[k], values[m]
    if kind == "nominal":
        return float(a != b)
    if kind == "linear":
        return abs(a - b)
    if kind == "quadratic":
        return (a - b) ** 2
    if kind == "ratio":
        return ((a - b) / (a + b)) ** 2
    low, high = min(k, m), max(k, m)
    return (sum(marginal[low : high + 1]) - (marginal[low] + marginal[high]) / 2) ** 2


def by_definition(table, kind, times, values=VALUES, per_unit=False):
    """All coefficients; ``times``: how often each unit counts.

    ``per_unit``: agreement over all units, scaled by how many were rated twice, as Gwet has it in
    the standard errors: a unit with one rating is one without agreement.
    """
    q, w = len(values), lambda k, m: weight(kind, k, m, values)
    all_w = sum(w(k, m) for k in range(q) for m in range(q))
    agree = paired_units = 0.0
    share, paired = np.zeros(q), np.zeros(q)
    disagree, matched = {}, 0.0
    for row, u in zip(table, times, strict=True):
        codes = [c for c in row if c != NONE]
        m = len(codes)
        for c in codes:
            share[c] += u / m
        if m < 2:
            continue
        paired_units += u
        pairs = list(permutations(codes, 2))
        agree += u * sum(w(a, b) for a, b in pairs) / (m * (m - 1))
        matched += u * sum(w(a, b) for a, b in pairs) / (m - 1)
        for c in codes:
            paired[c] += u
        for a, b in pairs:
            disagree[a, b] = disagree.get((a, b), 0.0) + u / (m - 1)
    share /= sum(times)
    over = paired_units
    if per_unit:
        over = sum(times) * np.mean([(row != NONE).sum() > 1 for row in table])
    observed, whole, n = agree / over, paired_units / over, paired.sum()
    chances = {
        "gwet": all_w / (q * (q - 1)) * sum(p * (1 - p) for p in share),
        "fleiss": sum(w(k, m) * share[k] * share[m] for k in range(q) for m in range(q)),
        "brennan_prediger": all_w / q**2,
        "conger": conger(table, times, w, q),
    }
    found = {name: (observed - c * whole) / (1 - c) for name, c in chances.items()}
    apart = sum(v * distance(kind, *ab, paired, values) for ab, v in disagree.items()) / n
    expected = sum(
        paired[k] * paired[m] * distance(kind, k, m, paired, values)
        for k in range(q) for m in range(q)
    ) / (n * (n - 1))  # fmt: skip
    by_weights = sum(paired[k] * paired[m] * (1 - w(k, m)) for k in range(q) for m in range(q))
    found |= {
        "raw_agreement": observed,
        "krippendorff": 1 - apart / expected,
        "krippendorff_weighted": 1 - (n - matched) / n / (by_weights / (n * (n - 1))),
        "cohen": cohen(table, times, w, q),
    }
    return np.array([found[name] for name in COEFFICIENTS])


def shares_of(codes, times, q):
    return np.array([sum(u for c, u in zip(codes, times, strict=True) if c == k) for k in range(q)])


def chance(one, two, w):
    return sum(w(k, m) * a * b for k, a in enumerate(one) for m, b in enumerate(two))


def conger(table, times, w, q):
    found = [shares_of(rated, times, q) for rated in table.T if (rated != NONE).any()]
    own = [x / x.sum() for x in found]
    return np.mean([chance(a, b, w) for a, b in permutations(own, 2)])


def cohen(table, times, w, q):
    kappas = []
    for a, b in combinations(table.T, 2):
        both = (a != NONE) & (b != NONE)
        if not both.any():
            continue
        u = times[both] / times[both].sum()
        agree = sum(x * w(c, d) for c, d, x in zip(a[both], b[both], u, strict=True))
        by_chance = chance(shares_of(a[both], u, q), shares_of(b[both], u, q), w)
        if by_chance < 1 - 1e-9:
            kappas.append((agree - by_chance) / (1 - by_chance))
    return np.mean(kappas) if kappas else np.nan


def units(table, kind, values=VALUES, **cells):
    unit, rater = np.nonzero(table != NONE)
    rated = agreement_sums.Ratings(unit, rater, table[unit, rater], *table.shape)
    return agreement_sums.unit_sums(rated, values, kind, **cells)


def gaps(seed, shape=(9, 4), missing=0.25):
    rng = np.random.default_rng(seed)
    table = np.clip(rng.integers(0, 4, (shape[0], 1)) + rng.integers(-1, 2, shape), 0, 3)
    table[rng.random(shape) < missing] = NONE
    table[0], table[1] = [2] + [NONE] * (shape[1] - 1), 3  # one rating only; all alike
    return table


TABLES = [
    gaps(1),
    gaps(2, missing=0.0),
    gaps(3, (14, 3)),
    gaps(4, (7, 5), 0.5),
    gaps(5, (6, 2), 0.1),
]
TABLES[1][0] = [0, 1, 2, 3]  # nothing missing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("table", TABLES, ids=range(5))
def test_all_coefficients_by_definition(table, kind):
    one = np.ones(len(table))
    told = by_definition(table, kind, one)
    of = units(table, kind)
    assert agreement.coefficients(of.stats.sum(axis=0), of) == pytest.approx(told)
    by_influence = units(table, kind, cells=0)
    found = agreement.coefficients(by_influence.stats.sum(axis=0), by_influence)
    assert found == pytest.approx(told)


@pytest.mark.parametrize("kind", KINDS)
def test_resampled_units_are_units_again(kind):
    times = np.array([[2.0, 1, 0, 3, 1, 1, 0, 1, 0], [1.0, 1, 1, 0, 0, 2, 2, 1, 1]])
    of = units(TABLES[0], kind)
    found = agreement.coefficients(times @ of.stats, of)
    for row, taken in zip(found, times, strict=True):
        assert row == pytest.approx(by_definition(TABLES[0], kind, taken))


LINEAR = [k for k, name in enumerate(COEFFICIENTS) if "kripp" not in name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cells", [2_000_000, 0])
@pytest.mark.parametrize("table", TABLES[:3], ids=range(3))
def test_standard_errors_are_what_each_unit_moves(table, cells, kind):
    """By differences of the definitions; an influence function is the same to the first order."""
    n, h = len(table), 1e-5
    moved = []
    for unit in range(n):
        ends = []
        for side in (-1, 1):
            times = np.ones(n)
            times[unit] += side * h
            ends.append(by_definition(table, kind, times, per_unit=True)[LINEAR])
        moved.append((ends[1] - ends[0]) / (2 * h))
    told = np.sqrt(n / (n - 1) * (np.array(moved) ** 2).sum(axis=0))
    found = agreement.standard_errors(units(table, kind, cells=cells))
    assert found[LINEAR] == pytest.approx(told, rel=1e-5)


def test_errors_do_not_hang_on_how_many_units_are_worked_at_a_time(monkeypatch):
    of = units(TABLES[2], "ordinal")
    whole = agreement.standard_errors(of)
    monkeypatch.setattr(agreement, "_ROWS", 5)
    monkeypatch.setattr(agreement_sums, "_ROWS", 5)
    assert agreement.standard_errors(of) == pytest.approx(whole)
    parts = agreement.standard_errors(units(TABLES[2], "ordinal", cells=0))
    assert parts[LINEAR] == pytest.approx(whole[LINEAR])


def test_a_rater_who_never_met_another_has_no_kappa():
    table = np.array([[0, 1, NONE], [1, 1, NONE], [2, NONE, NONE], [NONE, NONE, 3], [3, 2, NONE]])
    for kind in ("nominal", "quadratic"):
        told = by_definition(table, kind, np.ones(5))
        for cells in (2_000_000, 0):
            of = units(table, kind, cells=cells)
            found = agreement.coefficients(of.stats.sum(axis=0), of)
            assert found == pytest.approx(told), (kind, cells)
    alone = np.array([[0, NONE], [NONE, 1], [2, NONE]])
    for cells in (2_000_000, 0):
        of = units(alone, "nominal", cells=cells)
        assert np.isnan(
            agreement.coefficients(of.stats.sum(axis=0), of)[COEFFICIENTS.index("cohen")]
        )


def test_one_category_only_leaves_no_coefficient():
    table = np.zeros((4, 3), int)
    of = units(table, "quadratic", np.array([3.0]))
    found = dict(zip(COEFFICIENTS, agreement.coefficients(of.stats.sum(axis=0), of), strict=True))
    assert found["raw_agreement"] == 1
    for name in ("fleiss", "conger", "cohen", "krippendorff", "krippendorff_weighted"):
        assert np.isnan(found[name]), name


def test_too_many_raters_and_categories_leave_no_kappa_of_pairs(monkeypatch):
    monkeypatch.setattr(agreement_sums, "_GRAM", 15)
    of = units(TABLES[0], "nominal", cells=0)  # four raters of four categories are sixteen
    assert np.isnan(agreement.coefficients(of.stats.sum(axis=0), of)[-1])
    monkeypatch.setattr(agreement_sums, "_GRAM", 16)
    of = units(TABLES[0], "nominal", cells=0)
    assert np.isfinite(agreement.coefficients(of.stats.sum(axis=0), of)[-1])


@pytest.mark.parametrize("table", [TABLES[1], TABLES[1][:, :2], TABLES[0]], ids=range(3))
def test_kappa_of_each_category_is_fleiss_kappa_of_it_against_all_others(table):
    """Fleiss 1971; with gaps only units rated twice tell of agreement."""
    found = agreement.category_kappas(units(table, "nominal"))
    for k in range(4):
        own = [[c == k for c in row if c != NONE] for row in table]
        apart = [np.mean([a != b for a, b in permutations(row, 2)]) for row in own if len(row) > 1]
        p = np.mean([np.mean(row) for row in own])
        told = 1 - np.mean(apart) / (2 * p * (1 - p)) if 0 < p < 1 else np.nan
        assert found[k] == pytest.approx(told, nan_ok=True)


def test_a_category_that_is_never_or_always_chosen_has_no_kappa():
    table = np.array([[0, 0], [0, 0]])
    assert np.isnan(agreement.category_kappas(units(table, "nominal"))).all()


def test_z_of_fleiss_is_one_for_tables_of_chance():
    """Over many tables without any agreement z has the mean 0 and the variance 1."""
    rng = np.random.default_rng(9)
    shares = [0.5, 0.3, 0.1, 0.1]
    z = [
        agreement.fleiss_z(units(rng.choice(4, (400, 3), p=shares), "nominal")) for _ in range(200)
    ]
    assert np.mean(z) == pytest.approx(0, abs=0.17)
    assert np.std(z) == pytest.approx(1, abs=0.1)


def test_z_of_fleiss_with_two_categories_is_the_one_of_the_binomial():
    """Of two categories the error of chance is sqrt(2 / (n m (m - 1))), whatever their shares."""
    table = np.array([[0, 0, 0], [0, 0, 3], [3, 3, 0], [3, 3, 3], [0, 0, 0]])
    of = units(table, "nominal")
    kappa = agreement.coefficients(of.stats.sum(axis=0), of)[COEFFICIENTS.index("fleiss")]
    assert agreement.fleiss_z(of) == pytest.approx(kappa / np.sqrt(2 / (5 * 3 * 2)))


@pytest.mark.parametrize(
    "table", [[[0, 1, NONE], [1, 1, 1]], [[2], [1]], [[1, 1], [1, 1]]], ids=("gap", "one", "same")
)
def test_no_z_of_fleiss_for_gaps_one_rating_or_one_category(table):
    assert np.isnan(agreement.fleiss_z(units(np.array(table), "nominal")))


def test_z_of_cohen_with_two_categories_is_the_root_of_chi_square():
    """Of a table of two by two kappa over its error of chance is the z of independence, when both
    raters use a category as often as the other."""
    first = np.repeat([0, 0, 1, 1], [7, 3, 3, 7])
    second = np.repeat([0, 1, 0, 1], [7, 3, 3, 7])
    chi2 = stats.chi2_contingency([[7, 3], [3, 7]], correction=False).statistic
    assert agreement.cohen_z(first, second) == pytest.approx(np.sqrt(chi2))


def test_z_of_cohen_has_the_variance_of_fleiss_cohen_and_everitt():
    first, second = (
        np.repeat([0, 0, 1, 2, 2], [9, 2, 6, 5, 1]),
        np.repeat([0, 1, 1, 2, 0], [9, 2, 6, 5, 1]),
    )
    one, two = np.array([11, 6, 6]) / 23, np.array([10, 8, 5]) / 23
    observed, by_chance = 20 / 23, one @ two
    square = by_chance + by_chance**2 - sum(a * b * (a + b) for a, b in zip(one, two, strict=True))
    error = np.sqrt(square / 23) / (1 - by_chance)
    kappa = (observed - by_chance) / (1 - by_chance)
    assert agreement.cohen_z(first, second) == pytest.approx(kappa / error)


@pytest.mark.parametrize(
    "pair", [([], []), ([1], [1]), ([0, 0], [0, 0]), ([0, 0], [1, 1])], ids=str
)
def test_no_z_of_cohen_without_spread(pair):
    assert np.isnan(agreement.cohen_z(*(np.array(x, dtype=np.int64) for x in pair)))


def test_weights_of_ratio_with_a_zero_in_the_scale():
    values = np.array([0.0, 1.0, 3.0])
    found = agreement.weight_matrix(values, "ratio")
    assert found == pytest.approx(np.array([[1, 0, 0], [0, 1, 0.75], [0, 0.75, 1]]))
    assert agreement.distances(values, "ratio") == pytest.approx(1 - found)
    assert agreement.weight_matrix(values[:1], "linear").tolist() == [[1]]
