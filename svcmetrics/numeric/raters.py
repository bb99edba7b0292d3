"""Targets rated by raters of unequal severity: raw, adjusted and shrunken means, with errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric.mixed import Mixed, Singular, fit, reml
from svcmetrics.numeric.mixed_collapse import Array, Codes, collapse, is_nested
from svcmetrics.numeric.ranks import quasi_errors

# Repeated ratings of a target by the same rater share an error. In large data a few of them change
# nothing and cost much: there they do once they are this common.
_REPEATS, SMALL = 0.05, 100_000
# With more targets than this only their variances are kept, not all covariances.
MANY = 1_200
_BOUNDLESS = 1e8  # variance of a fixed factor, in units of the total


@dataclass(frozen=True)
class Ratings:
    """Scores with codes 0 … k − 1 of target, rater and of what else is taken out (wave, mode)."""

    y: Array
    target: Codes
    rater: Codes
    others: tuple[Codes, ...] = ()

    @property
    def targets(self) -> int:
        return int(self.target.max()) + 1

    @property
    def raters(self) -> int:
        return int(self.rater.max()) + 1

    def cells(self) -> Codes:
        """Each rating's cell in the table raters × targets, counted through row by row."""
        return self.rater * self.targets + self.target

    def pairs(self) -> Codes:
        """Codes of the pairs of rater and target that occur."""
        return np.asarray(np.unique(self.cells(), return_inverse=True)[1])

    def repeats(self) -> int:
        """Ratings of a target by a rater who had rated it already in the same wave and mode."""
        whole = self.cells()
        for codes in self.others:
            whole = whole * (int(codes.max()) + 1) + codes
        return len(self.y) - len(np.unique(whole))

    def targets_seen(self) -> Codes:
        """How many targets each rater rated."""
        return np.bincount(np.unique(self.cells()) // self.targets, minlength=self.raters)

    def raters_heard(self) -> Codes:
        """How many raters rated each target."""
        return np.bincount(np.unique(self.cells()) % self.targets, minlength=self.targets)


@dataclass(frozen=True)
class Means:
    """One kind of mean per target; the covariance of its errors, or only their variances.

    ``times``: that covariance times a vector, where there are only variances. ``variances``: of a
    model of its own, by name.
    """

    estimate: Array
    covariance: Array
    times: Callable[[Array], Array] | None = None
    variances: dict[str, float] | None = None

    @property
    def errors(self) -> Array:
        """Standard errors."""
        return np.sqrt(self.covariance if self.covariance.ndim == 1 else self.covariance.diagonal())

    def comparable(self, shown: NDArray[np.bool_]) -> Array:
        """Errors of the shown targets that serve for comparing them with one another."""
        if self.covariance.ndim == 1:
            if self.times is None or shown.sum() < 3:
                return self.errors[shown]
            sums = self.times(shown.astype("float64"))[shown]
            return _quasi_of_sums(self.covariance[shown], sums)
        return quasi_errors(self.covariance[np.ix_(shown, shown)])


def _quasi_of_sums(own: Array, sums: Array) -> Array:
    """``quasi_errors`` from the diagonal of the covariance and the sums of its rows alone."""
    k = len(own)
    gaps = k * own + own.sum() - 2 * sums
    squares = (gaps - gaps.sum() / (2 * (k - 1))) / (k - 2)
    return np.asarray(np.sqrt(np.maximum(squares, 1e-3 * float(own.min()))))


@dataclass(frozen=True)
class Fitted:
    """Fixed effects with their covariance, variances by name, and the raters' effects."""

    coefficients: Array
    covariance: Array
    variances: dict[str, float]
    errors: dict[str, float]  # standard errors of the variances; missing for one at zero
    rater_effects: Array
    rater_variances: Array  # of the errors of these effects
    model: Mixed | None  # None: nothing random could be told apart, plain least squares
    means: Means | None = None  # ready-made where the targets are very many


def fixed_targets(data: Ratings) -> Fitted:
    """Targets as fixed effects, raters as random: the model behind severity and adjusted means."""
    names = random_names(data)
    if not names:
        return _least_squares(data)
    if data.targets > MANY:
        return _many_fixed(data, names)
    model = reml(data.y, [_codes(data, name) for name in names], design(data))
    return _fitted(model, names, data.raters)


def _fitted(fit: Mixed, names: list[str], raters: int, means: Means | None = None) -> Fitted:
    """Read a model whose last factors are ``names``; one before them is the targets."""
    shift = len(fit.effects) - len(names)
    own = shift + names.index("rater") if "rater" in names else None
    none = np.zeros(raters)
    whole = [*names, "residual"]
    variances = dict.fromkeys(("rater", "pair"), 0.0)
    return Fitted(
        fit.coefficients,
        fit.coefficient_covariance,
        variances | dict(zip(whole, fit.variances[shift:].tolist(), strict=True)),
        dict(zip(whole, fit.errors[shift:].tolist(), strict=True)),
        none if own is None else fit.effects[own],
        none if own is None else fit.prediction_variances[own],
        fit,
        means,
    )


def _many_fixed(data: Ratings, names: list[str]) -> Fitted:
    """Targets as a factor of boundless variance, so that they need not stay dense."""
    if any(
        is_nested([data.target, o], [data.targets, int(o.max()) + 1], 0, 1) for o in data.others
    ):
        raise Singular
    factors = [data.target, *(_codes(data, name) for name in names)]
    sizes = [int(c.max()) + 1 for c in factors]
    mean = float(data.y.mean())
    whole = collapse(data.y - mean, factors, sizes, _centred(data), None)
    model = fit(whole, held={0: _BOUNDLESS * float(data.y.var())})
    means = Means(
        mean + model.effects[0],
        model.prediction_variances[0],
        lambda weights: model.covariance_times(0, weights),
    )
    return _fitted(model, names, data.raters, means)


def _centred(data: Ratings) -> Array:
    """Columns of the others with mean zero: then a target's effect is its mean at their average."""
    columns = [_columns(o).toarray() for o in data.others]
    out = np.hstack([np.empty((len(data.y), 0)), *columns])
    return np.asarray(out - out.mean(axis=0))


def random_names(data: Ratings) -> list[str]:
    """What can be told from the residual: raters who rated twice, pairs that repeat."""
    names = ["rater"] if 1 < data.raters < len(data.y) else []
    pairs = int(data.pairs().max()) + 1
    n = len(data.y)
    common = pairs < n if n <= SMALL else pairs <= (1 - _REPEATS) * n
    return [*names, "pair"] if common and names and data.raters < pairs else names


def shares_pairs(data: Ratings) -> bool:
    """Whether repeated ratings share an error: that of their pair, or of a rater with one target."""
    return "pair" in random_names(data) or data.raters == int(data.pairs().max()) + 1


def _codes(data: Ratings, name: str) -> Codes:
    return data.rater if name == "rater" else data.pairs()


def _least_squares(data: Ratings) -> Fitted:
    X = design(data)
    A = (X.T @ X).toarray()
    if np.linalg.matrix_rank(A, hermitian=True) < len(A):
        raise Singular
    inverse = np.linalg.inv(A)
    b = inverse @ (X.T @ data.y)
    left = len(data.y) - len(A)
    rest = float(((data.y - X @ b) ** 2).sum()) / left if left > 0 else float("nan")
    none = np.zeros(data.raters)
    variances = {"rater": 0.0, "pair": 0.0, "residual": rest}
    return Fitted(b, inverse * rest, variances, {}, none, none, None)


def design(data: Ratings) -> Any:
    """Columns 1, targets from the second on, levels of each other from the second on; sparse."""
    from scipy import sparse

    one = sparse.csr_array(np.ones((len(data.y), 1)))
    parts = [one, *(_columns(codes) for codes in (data.target, *data.others))]
    return sparse.hstack(parts, format="csr")


def contrasts(data: Ratings) -> Array:
    """Rows that turn coefficients into means at the average wave and mode."""
    k = data.targets
    shares = [np.tile(np.bincount(c)[1:] / len(c), (k, 1)) for c in data.others]
    return np.hstack([np.ones((k, 1)), np.eye(k)[:, 1:], *shares])


def adjusted(data: Ratings, fit: Fitted) -> Means:
    """Means of the targets had all been rated by average raters, waves and modes."""
    if fit.means is not None:
        return fit.means
    L = contrasts(data)
    return Means(L @ fit.coefficients, L @ fit.covariance @ L.T)


def shrunken(data: Ratings) -> Means:
    """The same with targets as a random factor: drawn to the mean as far as the data are thin."""
    names = random_names(data)
    X = np.hstack([np.ones((len(data.y), 1)), _centred(data)])
    joint = data.targets <= MANY
    factors = [data.target, *(_codes(data, name) for name in names)]
    model = reml(data.y, factors, X, keep=0 if joint else None)
    estimate = model.coefficients[0] + model.effects[0]
    variances = dict(zip(["target", *names, "residual"], model.variances.tolist(), strict=True))
    first = model.coefficient_covariance[0, 0]
    shared = model.fixed_covariance(0)[:, 0]
    whole = model.joint_covariance(0)
    if not joint or whole is None:

        def times(weights: Array) -> Array:
            random = 0.0 if model.zero[0] else model.covariance_times(0, weights)
            return np.asarray((first + shared) * weights.sum() + shared @ weights + random)

        alone = model.prediction_variances[0]
        return Means(estimate, first + 2 * shared + alone, times, variances)
    own = whole[X.shape[1] :, X.shape[1] :] * (not model.zero[0])
    return Means(estimate, first + shared + shared[:, None] + own, variances=variances)


def raw(data: Ratings, variances: dict[str, float]) -> Means:
    """Plain means; their errors under the model: shared raters, shared pairs, residual."""
    from scipy import sparse

    count = np.bincount(data.target)
    share = 1 / count[data.target]
    mean = np.bincount(data.target, weights=data.y) / count
    shape = (data.targets, data.raters)
    by_rater = sparse.csr_array((share, (data.target, data.rater)), shape=shape)
    squares = (by_rater.multiply(by_rater)).sum(axis=1)
    own = squares * variances["pair"]
    if data.targets > MANY:
        single = own + variances["residual"] / count

        def times(weights: Array) -> Array:
            shared = by_rater @ (by_rater.T @ weights)
            return np.asarray(shared * variances["rater"] + single * weights)

        return Means(mean, squares * variances["rater"] + single, times)
    covariance = (by_rater @ by_rater.T).toarray() * variances["rater"]
    covariance[np.diag_indices(data.targets)] += own + variances["residual"] / count
    return Means(mean, covariance)


def subsets(target: Codes, rater: Codes) -> Codes:
    """The connected subset of each target: within one, chains of shared raters link all targets."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    k, m = int(target.max()) + 1, int(rater.max()) + 1
    links = sparse.coo_array((np.ones(len(target)), (target, rater + k)), shape=(k + m, k + m))
    return np.asarray(connected_components(links, directed=False)[1][:k])


def _columns(codes: Sequence[int] | Codes) -> Any:
    """Indicator columns of all levels but the first."""
    from scipy import sparse

    codes = np.asarray(codes)
    row = np.flatnonzero(codes > 0)
    shape = (len(codes), int(codes.max(initial=0)))
    return sparse.csr_array((np.ones(len(row)), (row, codes[row] - 1)), shape=shape)
