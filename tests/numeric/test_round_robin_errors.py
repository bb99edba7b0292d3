"""Errors of a round robin: traces of whole matrices, and the covariance of quadratic forms by draws."""

import numpy as np
import pytest

from svcmetrics.numeric import round_robin, round_robin_errors


def cells(units, missing=()):
    first, second = (v.ravel() for v in np.indices((units, units)))
    kept = first != second
    for i, j in missing:
        kept &= ~((first == i) & (second == j))
    return first[kept], second[kept]


def derivatives(actor, partner):
    """What each of the six parts adds to the covariance of two cells, one by one."""
    i, j, k, m = actor[:, None], partner[:, None], actor[None], partner[None]
    ways = [i == k, j == m, i == m, j == k, (i == k) & (j == m), (i == m) & (j == k)]
    return [np.asarray(w, float) for w in ways]


def gram_of(parts):
    """Expected values of the forms of the centred cells: tr(C V_k C V_l)."""
    n = len(parts[0])
    centre = np.eye(n) - 1 / n
    return np.array([[np.trace(a.T @ centre @ b @ centre) for b in parts] for a in parts])


@pytest.mark.parametrize("missing", [(), ((0, 1), (3, 2), (2, 3), (4, 0))])
def test_traces_are_those_of_the_matrices(missing):
    actor, partner = cells(5, missing)
    same, got, crossed, back, alone, swap = derivatives(actor, partner)
    parts = [same, got, crossed + back, alone, swap]
    n = len(actor)
    centre = np.eye(n) - 1 / n
    gram = gram_of(parts)
    forms = [
        centre @ sum(g * p for g, p in zip(row, parts, strict=True)) @ centre
        for row in np.linalg.inv(gram)
    ]
    found = round_robin_errors.traces(gram, parts)
    for a in range(5):
        for b in range(5):
            for m in range(5):
                for k in range(5):
                    told = np.trace(forms[a] @ parts[m] @ forms[b] @ parts[k])
                    assert found[a, m, b, k] == pytest.approx(told, abs=1e-10)


@pytest.mark.parametrize("units", [4, 5, 7])
def test_a_complete_round_robin_needs_no_matrices(units):
    parts = derivatives(*cells(units))
    gram = gram_of(parts)
    if np.linalg.matrix_rank(gram) == 6:
        found = round_robin_errors.complete_traces(gram, round_robin_errors.PARTS, units)
        assert found == pytest.approx(round_robin_errors.traces(gram, parts), abs=1e-9)
    five = [*parts[:2], parts[2] + parts[3], *parts[4:]]
    gram = gram_of(five)
    values = np.array([1.0, 0.6, 0.2, 0.9, 0.3])
    told = round_robin_errors.from_matrices(values, gram, five)
    assert round_robin_errors.complete(values, gram, units) == pytest.approx(told)


@pytest.mark.parametrize("missing", [(), ((0, 1), (3, 2), (4, 0))])
def test_errors_are_the_spread_of_estimates_over_many_round_robins(missing):
    """On the average the squared error is the variance of the estimate, here exactly."""
    actor, partner = cells(6, missing)
    same, got, crossed, back, alone, swap = derivatives(actor, partner)
    parts = [same, got, crossed + back, alone, swap]
    truth = np.array([1.0, 0.5, 0.3, 1.2, 0.4])
    covariance = sum(v * p for v, p in zip(truth, parts, strict=True))
    root = np.linalg.cholesky(covariance)
    gram = gram_of(parts)
    n = len(actor)
    centre = np.eye(n) - 1 / n
    forms = [
        centre @ sum(g * p for g, p in zip(row, parts, strict=True)) @ centre
        for row in np.linalg.inv(gram)
    ]
    exact = [2 * np.trace(a @ covariance @ a @ covariance) for a in forms]
    rng = np.random.default_rng(1)
    trace = round_robin_errors.traces(gram, parts)
    squares = []
    for _ in range(600):
        y = root @ rng.normal(size=n)
        values = np.array([y @ form @ y for form in forms])
        squares.append(round_robin_errors._errors(values, trace) ** 2)
    found = round_robin.fitted(y, actor, partner, 6)
    assert found.values == pytest.approx(values)
    assert found.errors**2 == pytest.approx(squares[-1])
    mean, error = np.mean(squares, axis=0), np.std(squares, axis=0) / np.sqrt(600)
    assert (np.abs(mean - exact) < 4 * error + 0.03 * np.array(exact)).all()
