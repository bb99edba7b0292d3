"""@metric: a statistic states its own bounds, direction and source.

The README index, the laws of the tests and the glossary are built from this registry; no list
is kept by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec

from svcmetrics.result import Result

Better = Literal["higher", "lower", "neither"]
P = ParamSpec("P")


@dataclass(frozen=True)
class Metric:
    """The facts that a metric states about itself."""

    name: str
    question: str  # the folder: design, measure, rate, verify, weigh, score, pilot
    better: Better
    low: float | None
    high: float | None
    source: str
    drawing: str
    function: Callable[..., Result]

    @property
    def summary(self) -> str:
        """The first line of its docstring: the question that it answers."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


REGISTRY: dict[str, Metric] = {}


def metric(
    *,
    better: Better,
    source: str,
    low: float | None = None,
    high: float | None = None,
    drawing: str = "intervals",
) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Register a function that returns a Result.

    ``better``: which way is better, or "neither". ``low`` and ``high``: the bounds that no
    estimate leaves (None: unbounded). ``source``: the paper with its table or page.
    ``drawing``: the name of the plot in ``svcmetrics.plots``.
    """

    def decorate(function: Callable[P, Result]) -> Callable[P, Result]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Result:
            result = function(*args, **kwargs)
            return _signed(result, entry)

        question = function.__module__.split(".")[1] if "." in function.__module__ else ""
        entry = Metric(function.__name__, question, better, low, high, source, drawing, wrapped)
        clash = REGISTRY.get(entry.name)
        if clash is not None and clash.function.__module__ != function.__module__:
            raise ValueError(f"two metrics are called {entry.name!r}; one name, one file")
        REGISTRY[entry.name] = entry
        return wrapped

    return decorate


def _signed(result: Result, entry: Metric) -> Result:
    from svcmetrics import __version__

    about: dict[str, Any] = {"reference": entry.source, "version": __version__, **result.about}
    drawing = result._drawing or entry.drawing
    return Result(about["metric"], result.table, result.findings, about, drawing=drawing)
