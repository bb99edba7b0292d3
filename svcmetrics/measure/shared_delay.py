"""The delay of each late case shared among its steps under every rule: tables in, tables out."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcmetrics.measure import rules
from svcmetrics.measure.delays import Delays
from svcmetrics.numeric import shapley
from svcmetrics.problems import table_error

Floats = NDArray[np.float64]
_STEP = ["service_id", "step_no"]


def shared(delays: Delays, promises: pd.DataFrame, after: str | None) -> pd.DataFrame:
    """One row per late case and step: case, service_id, step_no, unit_id and hours under each rule.

    ``promises``: the table of ``step_promises``; with ``after`` it also names the steps that must
    come first.
    """
    taken = _taken(delays.visits).merge(promises, on=_STEP, how="left")
    taken["unit_id"] = taken["unit"].where(taken["unit"].notna(), taken["unit_id"])
    taken["promise_h"] = taken["promise_h"].fillna(0.0)
    case = delays.cases.loc[taken["case"], ["promise_h", "shared_h"]].to_numpy()
    taken["whole_h"], taken["shared_h"] = case[:, 0], case[:, 1]
    taken = taken[taken["shared_h"] > 0].drop(columns="unit")
    if after is None:
        return _in_line(taken)
    # A case with a step that the catalogue does not list has no place on the network.
    unlisted = taken["filled"].isna().groupby(taken["case"]).transform("any")
    parts = [
        _on_network(rows, promises[promises["service_id"] == service])
        for service, rows in taken[~unlisted].groupby("service_id")
    ]
    return pd.concat([*parts, _in_line(taken[unlisted])])


def _taken(visits: pd.DataFrame) -> pd.DataFrame:
    """Hours per case and step, and the hour of the case at which its last visit ended."""
    groups = visits.groupby(["case", *_STEP], as_index=False, dropna=False)
    return groups.agg(
        net_h=("net_h", "sum"), done_h=("done_h", "max"), unit_id=("unit_id", "first")
    )


def _in_line(taken: pd.DataFrame) -> pd.DataFrame:
    """Steps one after another: the hours of a case are the sum of those of its steps."""
    taken = taken.assign(promise_h=taken["promise_h"] * _cut(taken))
    taken["over_h"] = (taken["net_h"] - taken["promise_h"]).clip(lower=0.0)
    grid = _Grid(taken)
    return _ruled(taken, grid, lambda delay: rules.shapley_in_line(delay, grid("over_h")))


def _cut(taken: pd.DataFrame) -> pd.Series:
    """Steps may not promise more than the whole: then each promise is cut in proportion."""
    promised = taken.groupby("case")["promise_h"].transform("sum")
    return (taken["whole_h"] / promised.where(promised > taken["whole_h"])).fillna(1.0)


def _on_network(taken: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """Steps of one service, some of them side by side: the longest path counts."""
    steps = steps.sort_values("step_no")
    before = _before(steps)
    place = pd.Index(steps["step_no"])
    taken = taken.assign(slot=place.get_indexer(taken["step_no"]))
    grid = _Grid(taken, slots=len(steps))
    done = np.nan_to_num(grid("done_h"))
    start = np.stack([done[:, b].max(axis=1, initial=0.0) for b in before], axis=1)
    hours = np.clip(done - start, 0.0, None)
    promise = np.broadcast_to(steps["promise_h"].to_numpy(), hours.shape)
    longest = float(shapley.longest_path(steps["promise_h"].to_numpy(), before))
    promise = promise * np.minimum(grid.whole[:, None] / longest, 1.0) if longest > 0 else promise
    over = np.where(grid.present, np.clip(hours - promise, 0.0, None), 0.0)
    row, slot = grid.place
    taken = taken.assign(
        net_h=hours[row, slot], promise_h=promise[row, slot], over_h=over[row, slot]
    )
    game = rules.shapley_on_network
    return _ruled(taken, grid, lambda _: game(hours, promise, before, grid.whole)).drop(
        columns="slot"
    )


def _before(steps: pd.DataFrame) -> list[list[int]]:
    """Positions of the steps that come before each; they must have smaller numbers."""
    place = {int(s): i for i, s in enumerate(steps["step_no"])}
    out = []
    for i, text in enumerate(steps["after"]):
        named = [] if pd.isna(text) else [int(float(x)) for x in re.findall(r"\d+", str(text))]
        wrong = [n for n in named if place.get(n, i) >= i]
        if wrong:
            raise table_error("step_order", service=str(steps["service_id"].iloc[i]), wrong=wrong)
        out.append([place[n] for n in named])
    return out


class _Grid:
    """Long rows as a matrix of cases by steps; NaN where a step took no part."""

    def __init__(self, taken: pd.DataFrame, slots: int = 0):
        row, first = np.unique(taken["case"], return_index=True)
        self._taken = taken
        rows = np.searchsorted(row, taken["case"])
        slot = taken["slot"] if slots else taken.groupby("case").cumcount()
        self.place = (rows, slot.to_numpy())
        self.shape = (len(row), slots or (int(slot.max()) + 1 if len(slot) else 0))
        self.whole = taken["whole_h"].to_numpy()[first]
        self.delay = taken["shared_h"].to_numpy()[first]
        self.present = np.isfinite(self("net_h"))

    def __call__(self, column: str) -> Floats:
        out = np.full(self.shape, np.nan)
        out[self.place] = self._taken[column].to_numpy(dtype=np.float64)
        return out

    def units(self) -> NDArray[np.int64]:
        out = np.full(self.shape, -1, dtype=np.int64)
        out[self.place] = pd.factorize(self._taken["unit_id"])[0]
        return out


def _ruled(taken: pd.DataFrame, grid: _Grid, game: Callable[[Floats], Floats]) -> pd.DataFrame:
    delay = grid.delay
    over = np.full(grid.shape, np.nan)
    over[grid.place] = taken["over_h"].to_numpy()
    hours = {
        "own": rules.own(delay, over),
        "role": rules.by_role(delay, grid("role_weight"), grid.present),
        "equal": rules.equal(delay, grid.units(), grid.present),
        "shapley": game(delay),
    }
    return taken.assign(**{rule: h[grid.place] for rule, h in hours.items()})
