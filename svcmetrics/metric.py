"""@metric: a statistic states its own bounds, direction and source.

The README index, the laws of the tests and the glossary are built from this registry; no list
is kept by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec

from svcmetrics.numeric.one_thread import one_thread
from svcmetrics.result import Result

Better = Literal["higher", "lower", "neither"]
# Whose small number a row of the metric could betray, and what its n counts:
#   raters   made of ratings, n counts raters (or is carried along from such a table)
#   spread   the same, and the estimate tells how the raters of one group differ
#   ratings  made of ratings, n counts something else: forms, departments, waves
#   judges   made of experts' judgements, n counts experts
#   work     made of cases and events, n counts them
#   records  made of lists, plans or finished results: nobody's opinion
Persons = Literal["raters", "spread", "ratings", "judges", "work", "records"]
# What a metric of a folder is made of unless it says otherwise; elsewhere the most careful word.
_BEHIND: dict[str, Persons] = {
    "design": "judges", "measure": "work", "rate": "records", "weigh": "records",
    "score": "raters", "pilot": "records",
}  # fmt: skip
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
    behind: Persons = "ratings"

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
    behind: Persons | None = None,
) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Register a function that returns a Result.

    ``better``: which way is better, or "neither". ``low`` and ``high``: the bounds that no
    estimate leaves (None: unbounded). ``source``: the paper with its table or page.
    ``drawing``: the name of the plot in ``svcmetrics.plots``. ``behind``: what a row is made of and
    what its ``n`` counts (``Persons``); the folder's own word where it is left out.
    """

    def decorate(function: Callable[P, Result]) -> Callable[P, Result]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Result:
            with one_thread():
                result = function(*args, **kwargs)
            return _signed(result, entry)

        question = function.__module__.split(".")[1] if "." in function.__module__ else ""
        made_of = behind or _BEHIND.get(question, "ratings")
        entry = Metric(
            function.__name__, question, better, low, high, source, drawing, wrapped, made_of
        )
        clash = REGISTRY.get(entry.name)
        if clash is not None and clash.function.__module__ != function.__module__:
            raise ValueError(f"two metrics are called {entry.name!r}; one name, one file")
        REGISTRY[entry.name] = entry
        return wrapped

    return decorate


def _signed(result: Result, entry: Metric) -> Result:
    from svcmetrics import __version__

    about: dict[str, Any] = {"reference": entry.source, "version": __version__, **result.about}
    if about["metric"] != entry.name:
        raise ValueError(f"{entry.name!r} answered as {about['metric']!r}; one name, one file")
    drawing = result._drawing or entry.drawing
    return Result(about["metric"], result.table, result.findings, about, drawing=drawing)
