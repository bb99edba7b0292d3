"""Which rejected cases come back as a new one: by the id that they name, or by a rule."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.cases import joined
from svcmetrics.measure.clocks import DAY
from svcmetrics.numeric.followers import followers

# What the cases of one kind have in common.
_KINDS = ("service_id", "status", "n_returns", "by_id", "by_rule", "again")
_STATUS = ("open", "closed", "rejected", "withdrawn")
_WHOLE = ("status", "n_returns", "again", "start_us", "end_us")
_ROWS = 122_880


def resubmitted(facts: Table, days: float) -> Table:
    """How many ``cases`` of each kind there are.

    A kind is: service, status, returns, whether it was rejected and then followed by id, by
    rule, and whether it re-submits another. Cases of the embedded engine are linked as arrays,
    others by joins.
    """
    columns = ("case_id", "service_id", "status", "start_us", "end_us", "n_returns", "prev_case_id",
               "requester")  # fmt: skip
    facts = facts.select(*columns)
    if engine.home(facts).name == "duckdb":
        return engine.small(_as_arrays(facts, int(days * DAY)))
    return _by_joins(facts, days)


def _as_arrays(facts: Table, within: int) -> pd.DataFrame:
    has_id = facts["prev_case_id"].notnull()
    named = engine.arrow(facts.filter(has_id).select("prev_case_id"))["prev_case_id"]
    rows, ids, services = _columns(facts.mutate(again=has_id))
    rows["again"] = rows["again"].astype(bool)
    gone = rows["status"] == _STATUS.index("rejected")
    pair = _pairs(rows.pop("requester"), rows["service_id"], gone)
    start, end = rows.pop("start_us"), rows.pop("end_us")
    kinds = rows | {c: np.zeros(len(gone), dtype=bool) for c in ("by_id", "by_rule")}
    gone_rows = np.flatnonzero(gone)
    kinds["by_id"][gone_rows] = pc.is_in(ids.take(gone_rows), named).to_numpy()
    old, new = followers(pair, start, end, gone, lambda r: ids.take(r).to_numpy(), within=within)
    kinds["by_rule"][old] = kinds["again"][new] = True
    found, cases = _distinct(kinds)
    named_kinds = {
        "service_id": services[found["service_id"]], "status": np.array(_STATUS)[found["status"]]
    }  # fmt: skip
    table = pd.DataFrame({**found, **named_kinds, "cases": cases})[[*_KINDS, "cases"]]
    return table.astype(dict.fromkeys(named_kinds, "str"))  # text, even when there is none


def _columns(facts: Table) -> tuple[dict[str, np.ndarray], pa.ChunkedArray, np.ndarray]:
    """The facts in arrays, text as numbers, -1 for none; the ids as text; the services by number.

    Part by part, so that the text of all cases is never in memory at once.
    """
    number = facts["status"].cases(*((s, i) for i, s in enumerate(_STATUS))).cast("int8")
    facts = facts.select(
        "case_id", "service_id", "requester", "again", "start_us", status=number,
        end_us=facts["end_us"].fill_null(0), n_returns=facts["n_returns"].cast("int32"),
    )  # fmt: skip
    ids, arrays = [], []
    known: dict[str, dict[str, int]] = {"service_id": {}, "requester": {}}
    for part in stream.parts(facts, rows=_ROWS) or ():
        # Copied: one column of a part, left as it is, would hold all of them.
        ids.append(part["case_id"].take(np.arange(len(part))))
        numbers = {c: _numbered(part[c], k) for c, k in known.items()}
        whole = {c: np.array(part[c].to_numpy(zero_copy_only=False)) for c in _WHOLE}
        arrays.append(numbers | whole)
    rows = {}
    for c in (*known, *_WHOLE):  # each column whole, and its parts let go
        parts = [a.pop(c) for a in arrays]
        rows[c] = np.concatenate(parts) if parts else np.empty(0, np.int32)
    return rows, pa.chunked_array(ids, pa.string()), np.array([*known["service_id"]], dtype=object)


def _numbered(texts: pa.Array, known: dict[str, int]) -> np.ndarray:
    coded = texts.dictionary_encode()
    numbers = [known.setdefault(t, len(known)) for t in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices, len(numbers)).to_numpy(zero_copy_only=False)
    return np.array([*numbers, -1], np.int32)[codes]


def _pairs(requester: np.ndarray, service: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Numbers of requester and service together where one of them was ever rejected, or -1."""
    both = (requester.astype(np.int64) + 1) * (service.max(initial=0) + 1) + service
    ours = gone & (requester >= 0)
    known = np.unique(both[ours])
    if not len(known):
        return np.full(len(both), -1, np.int32)
    if both.max() <= len(both):  # so few that each has its place
        place = np.full(both.max() + 1, -1, np.int32)
        place[known] = np.arange(len(known))
        return place[both]
    place = np.minimum(np.searchsorted(known, both), len(known) - 1)
    return np.where(known[place] == both, place, -1).astype(np.int32)


def _distinct(kinds: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows that are the same in everything, once, and how many of each there are."""
    key, sizes = np.zeros(len(kinds["status"]), np.int64), {}
    for name, values in kinds.items():
        sizes[name] = int(values.max(initial=0)) + 1
        key = key * sizes[name] + values
    distinct, cases = np.unique(key, return_counts=True)
    found = {}
    for name in reversed(kinds):
        distinct, found[name] = np.divmod(distinct, sizes[name])
        found[name] = found[name].astype(kinds[name].dtype)
    return found, cases


def _by_joins(c: Table, days: float) -> Table:
    """The same in the engine."""
    rule = engine.keep(_by_rule(_may_follow(c), days))
    no, yes = ibis.literal(False), ibis.literal(True)
    old = c.filter(c["prev_case_id"].notnull())
    marks = ibis.union(
        old.select(case_id="prev_case_id", by_id=yes, by_rule=no, again=no),
        rule.select("case_id", by_id=no, by_rule=yes, again=no),
        rule.select(case_id="new_case", by_id=no, by_rule=no, again=yes),
    )
    flags = ("by_id", "by_rule", "again")
    marks = marks.group_by("case_id").aggregate(**{k: marks[k].any() for k in flags})
    c = joined(c, marks, "case_id")
    c = c.mutate(**{k: c[k].fill_null(False) for k in flags})
    c = c.mutate(
        again=c["again"] | c["prev_case_id"].notnull(),
        by_id=c["by_id"] & (c["status"] == "rejected"),
    )
    return c.group_by(list(_KINDS)).aggregate(cases=c.count())


def _may_follow(c: Table) -> Table:
    """Cases of services and requesters of which one was ever rejected, under one number per pair.

    All others cannot be linked by rule, and are most of the log.
    """
    known = c.filter(c["requester"].notnull())
    rejected = known.filter(known["status"] == "rejected")
    pairs = rejected.select("requester", "service_id").distinct()
    pairs = engine.keep(pairs.mutate(pair=ibis.row_number()))
    columns = ("case_id", "status", "start_us", "end_us", "pair")
    return engine.keep(known.inner_join(pairs, ["requester", "service_id"]).select(*columns))


def _by_rule(c: Table, days: float) -> Table:
    """Pairs of a rejected case and the case that takes it up; a new case has one predecessor."""
    rejected = c.filter(c["status"] == "rejected").rename(gone_us="end_us", old_case="case_id")
    # A rejection stamped before its own submission must not follow itself: looked at one by one.
    odd = (c["status"] == "rejected") & (c["end_us"] <= c["start_us"])
    odd = odd.fill_null(False)
    nearest = engine.keep(_latest(c.filter(~odd), rejected).union(_each(c.filter(odd), rejected)))
    since = nearest["start_us"] - nearest["gone_us"]
    nearest = nearest.filter(since <= int(days * DAY))
    order = ibis.window(group_by="old_case", order_by=["start_us", "case_id"])
    first = nearest.mutate(place=ibis.row_number().over(order))
    return first.filter(first["place"] == 0).select(case_id="old_case", new_case="case_id")


def _latest(c: Table, rejected: Table) -> Table:
    """Each case with the latest rejection not after its start; of two at once the first by name.

    Twice the time, counted backwards, makes "not after" the next larger number.
    """
    back = rejected.group_by("pair", by=-2 * rejected["gone_us"]).aggregate(
        gone_us=rejected["gone_us"].min(), old_case=rejected["old_case"].min()
    )
    c = c.mutate(by=-2 * c["start_us"] - 1)
    starts = c.select("pair", "by").distinct()
    found = engine.next_row(starts, back, within="pair", by="by")
    found = found.filter(found["old_case"].notnull()).rename(pair_2="pair", by_2="by")
    both = c.inner_join(found, [c["pair"] == found["pair_2"], c["by"] == found["by_2"]])
    return both.select("case_id", "start_us", "gone_us", "old_case")


def _each(c: Table, rejected: Table) -> Table:
    """The same by looking at every pair of cases, and never at one case with itself."""
    old = rejected.select("gone_us", "old_case", pair_2="pair")
    pairs = c.inner_join(old, c["pair"] == old["pair_2"])
    pairs = pairs.filter(
        pairs["start_us"] >= pairs["gone_us"], pairs["case_id"] != pairs["old_case"]
    )
    order = ibis.window(group_by="case_id", order_by=[ibis.desc("gone_us"), "old_case"])
    nearest = pairs.mutate(place=ibis.row_number().over(order))
    nearest = nearest.filter(nearest["place"] == 0)
    return nearest.select("case_id", "start_us", "gone_us", "old_case")
