"""Every measure that reads events, with the arguments that make it answer on a small study."""

import inspect
from functools import cache

import pandas as pd

from svcmetrics import Result, measure
from svcmetrics.metric import REGISTRY
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

BOOK = {
    "services": SERVICES.assign(
        output_form="table", baseline_from="2024-09-01", baseline_to="2024-09-03"
    ),
    "steps": STEPS,
    "calendar": CALENDAR,
}
_OWN = {"reasons": {"rare": 1}, "rejections": {"by": "service_id"}}

NAMES = sorted(
    name
    for name, entry in REGISTRY.items()
    if entry.question == "measure"
    and next(iter(inspect.signature(entry.function).parameters)) == "events"
)
# Those that time a case from its submission to its end.
TIMED = (
    "duration",
    "on_time",
    "responsibility",
    "shortening",
    "standardised",
    "survival",
    "time_ratio",
)


def run(name: str, events: pd.DataFrame, **changes: object) -> Result:
    """A measure with those tables of the study that it takes."""
    function = getattr(measure, name)
    taken = inspect.signature(function).parameters
    book = {k: v for k, v in BOOK.items() if k in taken}
    own = {k: v for k, v in changes.items() if k in taken}
    return function(events, **{**book, **_OWN.get(name, {}), **own})


@cache
def clean(name: str) -> Result:
    """The answer to the small log as it stands."""
    return run(name, SMALL)


def same(one: Result, two: Result) -> None:
    """The same table, whatever the order of its rows, and the same reading."""
    pd.testing.assert_frame_equal(
        _sorted(one.table), _sorted(two.table), rtol=1e-9, check_dtype=False
    )
    assert one.text == two.text


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    names = [*table.columns[: list(table.columns).index("metric")], "metric", "variant"]
    return table.sort_values(names, kind="stable").reset_index(drop=True)
