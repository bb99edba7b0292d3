"""A mixed model at one set of variances, against the whole covariance matrix written out."""

import numpy as np
import pytest

from svcmetrics.numeric import mixed_collapse, mixed_search

DESIGNS = {
    "crossed": ((12, 7), 90, 2), "one factor": ((9,), 40, 1), "three": ((10, 6, 4), 80, 3),
    "equal sizes": ((6, 6), 50, 1),
}  # fmt: skip


def data(name, weighted, seed=1):
    sizes, n, p = DESIGNS[name]
    rng = np.random.default_rng(seed)
    factors = [np.r_[np.arange(s), rng.integers(0, s, n - s)] for s in sizes]
    X = np.column_stack([np.ones(n), *(rng.normal(size=n) for _ in range(p - 1))])
    weights = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
    y = 50 + sum(rng.normal(0, 1, s)[f] for s, f in zip(sizes, factors, strict=True))
    return y + rng.normal(0, 1, n), factors, sizes, X, weights


def dense(y, factors, sizes, X, weights, variances, restricted):
    """Criterion, slope, average information, predictions and fixed effects by definition."""
    Z = [np.eye(s)[f] for s, f in zip(sizes, factors, strict=True)]
    parts = [z @ z.T for z in Z] + [np.diag(1 / weights)]
    V = sum(v * part for v, part in zip(variances, parts, strict=True))
    W = np.linalg.inv(V)
    A = X.T @ W @ X
    P = W - W @ X @ np.linalg.solve(A, X.T @ W)
    n = len(y) - (X.shape[1] if restricted else 0)
    criterion = np.linalg.slogdet(V)[1] + y @ P @ y + n * np.log(2 * np.pi)
    criterion += np.linalg.slogdet(A)[1] if restricted else 0.0
    own = P if restricted else W
    slope = [-0.5 * (np.trace(own @ part) - y @ P @ part @ P @ y) for part in parts]
    f = np.stack([part @ P @ y for part in parts], axis=1)
    effects = [v * z.T @ P @ y for v, z in zip(variances, Z, strict=False)]
    return criterion, slope, f.T @ P @ f / 2, effects, np.linalg.solve(A, X.T @ W @ y)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_everything_at_a_point_is_that_of_the_matrix_written_out(name, restricted, weighted):
    y, factors, sizes, X, weights = data(name, weighted)
    for keep in (None, *range(len(sizes))):
        given = weights if weighted else None
        one = mixed_collapse.collapse(y, factors, sizes, X, given, keep)
        search = mixed_search.Search(one, restricted)
        for ratio in ([0.7, 1.3, 0.4], [5e-4, 2.5, 5e-3]):
            variances = np.array([*ratio[: len(sizes)], 0.9])
            point = search._at(variances)
            told = dense(y, factors, sizes, X, weights, variances, restricted)
            assert point.criterion == pytest.approx(told[0])
            assert point.slope == pytest.approx(np.array(told[1]), rel=1e-6, abs=1e-6)
            assert point.information == pytest.approx(told[2], rel=1e-6, abs=1e-6)
            for mine, theirs in zip(point.effects, told[3], strict=True):
                assert mine == pytest.approx(theirs, abs=1e-8)
            assert point.coefficients[1:] == pytest.approx(told[4][1:])


def test_fixed_columns_that_hang_together_are_said_to():
    y, factors, sizes, X, _ = data("crossed", False)
    both = np.column_stack([X, X[:, 1] * 2])
    one = mixed_collapse.collapse(y, factors, sizes, both, None)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any of its own kinds
        mixed_search.Search(one, True)._at(np.array([1.0, 1.0, 1.0]))
    assert type(caught.value).__name__ in ("Singular", "NotIdentified")
