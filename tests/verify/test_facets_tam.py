"""Many-facet Rasch against R TAM 4.3-25 on real ratings: every printed number, by its own rules.

TAM integrates over 21 fixed nodes. With the same nodes the package's likelihood has its maximum at
TAM's estimates; what is left is where TAM stops. Its standard errors are those of complete data.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from svcmetrics.numeric import rasch, rasch_newton
from svcmetrics.numeric.rasch_quadrature import State, averaged, quadrature

NODES = np.linspace(-6, 6, 21)
RATERS, ITEMS, STEPS = 20, 5, 3


@cache
def read(folder):
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    rater = next(n["value"] for n in numbers if n["name"].startswith("MFRM"))
    item = next(n["value"] for n in numbers if n["name"] == "same model: item parameters")
    whole = next(n["value"] for n in numbers if n["name"].startswith("same model: deviance"))
    wide = pd.read_csv(folder / "ratings.csv")
    long = wide.melt(["idstud", "rater"], ["k1", "k2", "k3", "k4", "k5"], var_name="item")
    codes = [pd.factorize(long[c], sort=True)[0] for c in ("idstud", "rater", "item")]
    sizes = tuple(int(c.max()) + 1 for c in codes)
    data = rasch.Data(
        long["value"].to_numpy(int), codes[0], tuple(codes[1:]), sizes, codes[2], STEPS
    )
    return data, pd.DataFrame(rater), pd.DataFrame(item), whole


def state(v, size):
    """Nineteen raters, five items, two steps of each item, the logarithm of the spread."""
    raters, steps = np.append(v[:19], -v[:19].sum()), v[24:34].reshape(2, ITEMS).T
    steps = np.column_stack([steps, -steps.sum(axis=1)])
    place = [np.zeros(size), -raters, -v[19:24]]
    return State(place, steps, 0.0, float(np.exp(v[34])), np.ones(size))


def at(v, data, plan):
    """Deviance, its gradient and the information of complete data in these parameters."""
    now = state(v, data.sizes[0])
    own = quadrature(data, now, NODES)
    now = State([own.mean, *now.place[1:]], now.thresholds, 0.0, now.sd, own.spread)
    system, _ = averaged(plan, now, own)
    # All facets enter with a plus inside, thresholds with a minus: turned round here.
    slope = np.concatenate([-system.gradient[1], -system.gradient[2], system.gradient[-1]])
    second = ((own.mean**2 + own.spread**2) / now.sd**2).sum() - data.sizes[0]
    turn = _coding()
    sign = np.concatenate([-np.ones(RATERS + ITEMS), np.ones(ITEMS * STEPS)])
    whole = turn.T @ (sign[:, None] * system.rest * sign) @ turn
    return own, -2 * np.append(turn.T @ slope, second), whole


def _coding():
    """The last rater, and the last step of each item, take back the others."""
    out = np.zeros((RATERS + ITEMS + ITEMS * STEPS, 34))
    out[np.arange(19), np.arange(19)] = 1
    out[19, :19] = -1
    out[20 + np.arange(5), 19 + np.arange(5)] = 1
    for item in range(ITEMS):
        for step in range(2):
            column = 24 + step * ITEMS + item
            out[25 + item * STEPS + step, column] = 1
            out[25 + item * STEPS + 2, column] = -1
    return out


@pytest.fixture
def peer(shared_data):
    return read(shared_data("writing_raters20"))


@pytest.fixture
def fitted(shared_data):
    return fit(shared_data("writing_raters20"))


@cache
def fit(folder):
    data = read(folder)[0]
    plan = rasch_newton.plan(data, tuple(np.full(n, np.nan) for n in data.sizes), first=0)
    start = np.zeros(35)
    start[24:29] = -1.0

    def target(v):
        own, slope, _ = at(v, data, plan)
        return own.deviance, slope

    found = optimize.minimize(target, start, jac=True, method="BFGS", options={"gtol": 2e-3})
    return found.x, *at(found.x, data, plan)


@pytest.mark.data
def test_every_estimate_of_tam_is_the_maximum_of_the_same_likelihood(peer, fitted):
    data, rater, item, _ = peer
    v = fitted[0]
    now = state(v, data.sizes[0])
    # TAM goes through its parameters one after the other and stops at changes of 1e-5.
    np.testing.assert_allclose(-now.place[1], rater["xsi"], atol=2e-4)
    np.testing.assert_allclose(-now.place[2], item["xsi"][:5], atol=2e-5)
    np.testing.assert_allclose(now.thresholds.T.ravel(), item["xsi"][5:], atol=5e-5)


@pytest.mark.data
def test_deviance_variance_and_reliability(peer, fitted):
    _, _, _, (deviance, variance, reliability) = peer
    v, own = fitted[0], fitted[1]
    assert own.deviance == pytest.approx(deviance, abs=2e-5)
    assert np.exp(2 * v[34]) == pytest.approx(variance, abs=2e-4)
    seen = own.mean.var()
    assert seen / (seen + (own.spread**2).mean()) == pytest.approx(reliability, abs=2e-6)


@pytest.mark.data
def test_standard_errors_of_tam_are_those_of_complete_data(peer, fitted):
    """Each parameter by itself, all else and the students known; the last of a set as if the others
    were independent (0.177 for the last rater, whose neighbours have 0.041). The package's limits
    come from the whole information."""
    _, rater, item, _ = peer
    own = 1 / np.sqrt(np.diag(fitted[3]))
    raters = np.append(own[:19], np.sqrt((own[:19] ** 2).sum()))
    steps = own[24:34].reshape(2, ITEMS)
    steps = np.vstack([steps, np.sqrt((steps**2).sum(axis=0))])
    np.testing.assert_allclose(raters, rater["se.xsi"], atol=1e-6)
    np.testing.assert_allclose(own[19:24], item["se.xsi"][:5], atol=1e-6)
    np.testing.assert_allclose(steps.ravel(), item["se.xsi"][5:], atol=1e-6)
