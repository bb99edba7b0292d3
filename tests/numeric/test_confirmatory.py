"""Confirmatory factors: the likelihood written out, its curvature by differences, limits by a peer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from svcmetrics.numeric import confirmatory

FACTOR = np.array([0, 0, 0, 1, 1, 1, 2])  # the last item is a factor alone
N = 250.0


def correlations(seed=1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    f = rng.multivariate_normal(np.zeros(3), [[1, 0.4, 0.2], [0.4, 1, 0.3], [0.2, 0.3, 1]], 250)
    load = np.array([0.8, 0.7, 0.6, -0.7, -0.6, -0.8, 1.0])
    x = load * f[:, FACTOR] + np.sqrt(1 - load**2) * rng.normal(size=(250, 7))
    x[:, 0] += 0.3 * f[:, 1]
    return np.corrcoef(x.T)


def parts(theta):
    load, (a, b, c) = theta[:7], theta[7:10]
    phi = np.array([[1, a, b], [a, 1, c], [b, c, 1]])
    return load, phi, np.r_[theta[10:], 0.0]


def implied(theta):
    load, phi, unique = parts(theta)
    return np.diag(load) @ phi[np.ix_(FACTOR, FACTOR)] @ np.diag(load) + np.diag(unique)


def misfit(theta, r):
    s = implied(theta)
    return np.linalg.slogdet(s)[1] - np.linalg.slogdet(r)[1] + np.trace(np.linalg.solve(s, r)) - 7


def solution(found) -> np.ndarray:
    size = np.sqrt(np.diagonal(found.implied))
    return np.r_[found.loading * size, found.phi[np.triu_indices(3, 1)],
                 (found.unique * size**2)[:6]]  # fmt: skip


def differences(function, theta, step=1e-5):
    return np.array([(function(theta + step * e) - function(theta - step * e)) / (2 * step)
                     for e in np.eye(len(theta))])  # fmt: skip


def test_the_misfit_is_the_least_and_errors_are_those_of_the_information():
    r = correlations()
    found = confirmatory.fit(r, FACTOR, N)
    theta = solution(found)
    assert found.parameters == len(theta) == 16 and found.proper
    assert found.misfit == pytest.approx(misfit(theta, r))
    np.testing.assert_allclose(found.implied, implied(theta), atol=1e-10)
    np.testing.assert_allclose(differences(lambda t: misfit(t, r), theta), 0.0, atol=1e-6)
    peer = optimize.minimize(misfit, theta + 0.02, args=(r,), options={"gtol": 1e-9})
    assert found.misfit == pytest.approx(peer.fun, abs=1e-9)
    inverse, moves = np.linalg.inv(implied(theta)), differences(implied, theta)
    information = N / 2 * np.einsum("ij,ajk,kl,bli->ab", inverse, moves, inverse, moves)
    covariance = np.linalg.inv(information)

    def standard(t):
        return t[:7] / np.sqrt(np.diagonal(implied(t)))

    turned = differences(standard, theta)
    error = np.sqrt(np.maximum(np.diagonal(turned.T @ covariance @ turned), 0))
    np.testing.assert_allclose(found.loading, standard(theta), atol=1e-9)
    np.testing.assert_allclose(found.loading_error, error, atol=1e-6)
    np.testing.assert_allclose(
        found.phi_error[np.triu_indices(3, 1)], np.sqrt(np.diagonal(covariance)[7:10]), rtol=1e-5
    )
    np.testing.assert_array_equal(found.phi_error, found.phi_error.T)


def test_loadings_of_a_factor_are_positive_in_sum():
    found = confirmatory.fit(correlations(), FACTOR, N)
    assert (found.loading > 0).all() and found.phi[0, 1] < 0  # the second was the other way round


def test_a_further_loading_is_told_by_slope_and_information():
    r = correlations()
    found = confirmatory.fit(r, FACTOR, N)
    chi2, size = confirmatory.further(r, found, FACTOR, N)
    theta, inverse = solution(found), np.linalg.inv(found.implied)
    load, phi, _ = parts(theta)
    moves = differences(implied, theta)
    for i, f in ((0, 1), (3, 0), (5, 2)):

        def wider(extra, i=i, f=f):
            whole = np.zeros((7, 3))
            whole[np.arange(7), FACTOR] = load
            whole[i, f] += extra
            s = whole @ phi @ whole.T
            return s + np.diag(np.diagonal(found.implied) - np.diagonal(whole @ phi @ whole.T))

        more = np.zeros((7, 7))
        more[i] += phi[f, FACTOR] * load
        more[:, i] += phi[f, FACTOR] * load
        slope = N / 2 * np.trace((inverse - inverse @ r @ inverse) @ more)
        every = [*moves, more]
        info = (
            N / 2 * np.array([[np.trace(inverse @ a @ inverse @ b) for b in every] for a in every])
        )
        rest = info[-1, -1] - info[-1, :-1] @ np.linalg.solve(info[:-1, :-1], info[:-1, -1])
        assert chi2[i, f] == pytest.approx(slope**2 / rest, rel=1e-5)
        expected = -slope / rest / np.sqrt(found.implied[i, i])
        assert size[i, f] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(chi2[np.arange(7), FACTOR]).all() and np.isnan(chi2[6]).all()
    assert np.isfinite(chi2[:6]).sum() == 12


def test_indices_by_their_definitions():
    r = correlations()
    found = confirmatory.fit(r, FACTOR, N)
    own = confirmatory.indices(r, found, N)
    chi2, df = N * found.misfit, 28 - 16
    base, base_df = -N * np.log(np.linalg.det(r)), 21
    assert (own["chi2"], own["df"], own["base_chi2"]) == pytest.approx((chi2, df, base))
    assert own["p"] == pytest.approx(stats.chi2.sf(chi2, df))
    assert own["cfi"] == pytest.approx(1 - max(chi2 - df, 0) / (base - base_df))
    assert own["tli"] == pytest.approx((base / base_df - chi2 / df) / (base / base_df - 1))
    assert own["rmsea"] == pytest.approx(np.sqrt(max(chi2 - df, 0) / (N * df)))
    rest = (r - found.implied)[np.tril_indices(7)]
    assert own["srmr"] == pytest.approx(np.sqrt((rest**2).mean()))
    for key, chance in (("rmsea_low", 0.95), ("rmsea_high", 0.05)):
        if stats.chi2.cdf(chi2, df) > chance:
            gap = optimize.brentq(lambda v, c=chance: stats.ncx2.cdf(chi2, df, v) - c, 1e-9, 500)
            assert own[key] == pytest.approx(np.sqrt(gap / (N * df)), rel=1e-6)
        else:
            assert own[key] == 0
    wide = confirmatory.indices(r, found, N, level=0.5)
    assert own["rmsea_low"] <= wide["rmsea_low"] <= wide["rmsea_high"] <= own["rmsea_high"]


def test_as_many_parameters_as_correlations_and_what_no_data_can_tell():
    r = correlations()[:3, :3]
    found = confirmatory.fit(r, np.zeros(3, int), N)
    own = confirmatory.indices(r, found, N)
    assert own["df"] == 0 and np.isnan(own["rmsea"]) and own["chi2"] == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(found.loading[0] ** 2, r[0, 1] * r[0, 2] / r[1, 2], rtol=1e-6)
    assert confirmatory.fit(r[:2, :2], np.zeros(2, int), N) is None  # two loadings, one correlation
    assert confirmatory.fit(np.ones((4, 4)), np.array([0, 0, 1, 1]), N) is None
