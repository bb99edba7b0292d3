"""Cases in parts with what the catalogue says about them, ready to be asked many things."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.clocks import DAY
from svcmetrics.measure.instants import local_ticks
from svcmetrics.measure.numbered import Numbered, named
from svcmetrics.measure.part_facts import STATUS

_USED = ["case_id", "service_id", "prev_case_id", "n_returns", "n_rejects", "start_us", "stop_us",
         "state", "business_us", "paused_us", "paused_business_us", "requester_us",
         "requester_business_us"]  # fmt: skip
_NUMBER, _TIME, _YES = pa.int32(), pa.int64(), pa.bool_()
_TEXTS = dict.fromkeys(("service_id", "provider_id", "routine", "start_day"), _NUMBER)
_SCHEMA = pa.schema(
    {
        "case_id": pa.string(), **_TEXTS, "status": pa.int8(), "is_emergency": _YES,
        **dict.fromkeys(("n_returns", "n_rejects", "promise_us", "elapsed_us", "start_us",
                         "stop_us", "stopped_us"), _TIME),
        "promised": _YES, "net_us": _TIME, "gross_us": _TIME, "fresh": _YES,
    }
)  # fmt: skip
_LAST = "\uffff"  # text that comes after any date


@dataclass(frozen=True)
class _Catalogue:
    """What is said about each service of a log, at its place; dates as text."""

    texts: dict[str, pa.DictionaryArray]
    promise: pa.Array
    since: np.ndarray
    until: np.ndarray
    in_scope: np.ndarray
    urgent: np.ndarray
    by_calendar: np.ndarray


def scoped_cases(
    parts: list[pa.RecordBatch], services: Table, timezone: str
) -> tuple[Table, dict[str, int]]:
    """Cases that can be measured, and how many there are of each kind that cannot, or is odd.

    The columns are those of ``inputs._narrow``, worked out once for all questions.
    """
    ids = parts[0]["service_id"].dictionary
    told, days = _catalogue(services, ids), Numbered()
    odd = dict.fromkeys(("out_of_scope", "no_start", "negative", "after_close"), 0)

    def columns() -> Iterator[dict[str, Any]]:
        for part in parts:
            flags = _flags(part, told)
            for kind, flag in flags.items():
                odd[kind] += pc.sum(flag).as_py() or 0
            bad = pc.or_(pc.or_(flags["out_of_scope"], flags["no_start"]), flags["negative"])
            some = part.select(_USED).filter(pc.invert(bad)) if pc.any(bad).as_py() else part
            yield _columns(some, told, days, timezone)

    with stream.spools(cases=_SCHEMA) as spools, closing(stream.ahead(columns())) as found:
        for rows in found:
            spools["cases"].add(rows)
        made = spools["cases"].parts()
    texts = {c: told.texts[c].dictionary for c in ("provider_id", "routine")}
    texts |= {"service_id": ids, "status": pa.array(STATUS), "start_day": days.texts()}
    return stream.hold([named(part, texts) for part in made]), odd


def _flags(part: pa.RecordBatch, told: _Catalogue) -> dict[str, pa.Array]:
    outside = ~told.in_scope[part["service_id"].indices.to_numpy()]
    return {
        "out_of_scope": pa.array(outside),
        "negative": pc.less(part["stop_us"], part["start_us"]),
        **{k: part[k] for k in ("no_start", "after_close")},
    }


def _columns(
    part: pa.RecordBatch, told: _Catalogue, days: Numbered, timezone: str
) -> dict[str, pa.Array]:
    codes = part["service_id"].indices
    local = local_ticks(part["start_us"].to_numpy(), timezone)
    day = pa.array((local // DAY).astype(np.int32)).dictionary_encode()
    dates = np.datetime_as_string(day.dictionary.to_numpy().astype("datetime64[D]"))
    in_force = (told.since[:, None] <= dates) & (dates <= told.until[:, None])
    service, promise = codes.to_numpy(), told.promise.take(codes)
    in_force = pa.array(in_force[service, day.indices.to_numpy()])
    own = pa.DictionaryArray.from_arrays(day.indices, pa.array(dates, pa.string()))
    return {c: part[c] for c in ("case_id", "n_returns", "n_rejects", "start_us", "stop_us")} | {
        "service_id": codes,
        **{c: told.texts[c].indices.take(codes) for c in ("provider_id", "routine")},
        "status": part["state"],
        "start_day": days.of(own),
        "is_emergency": told.urgent[service],
        "promise_us": promise,
        "promised": pc.and_(promise.is_valid(), in_force),
        "fresh": part["prev_case_id"].is_null(),
        **_lengths(part, pa.array(told.by_calendar[service])),
    }


def _lengths(part: pa.RecordBatch, by_calendar: pa.Array) -> dict[str, pa.Array]:
    """Times as in ``inputs.net`` and its like."""
    elapsed = pc.subtract(part["stop_us"], part["start_us"])
    stopped, net = pc.add(part["paused_us"], part["requester_us"]), part["business_us"]
    for kind in ("paused_business_us", "requester_business_us"):
        net = pc.subtract(net, part[kind])
    return {
        "elapsed_us": elapsed,
        "stopped_us": stopped,
        "net_us": pc.if_else(by_calendar, pc.subtract(elapsed, stopped), net),
        "gross_us": pc.if_else(by_calendar, elapsed, part["business_us"]),
    }


def _catalogue(services: Table, ids: pa.Array) -> _Catalogue:
    known = engine.frame(services).set_index("service_id").reindex(ids.to_pylist())
    texts = {
        c: pa.array(known[c], pa.string()).dictionary_encode() for c in ("provider_id", "routine")
    }
    dates = known[["valid_from", "valid_to"]].astype("str")
    since, until = dates["valid_from"].fillna(""), dates["valid_to"].fillna(_LAST)
    return _Catalogue(
        texts=texts,
        promise=pa.array(known["promise_us"], pa.int64(), from_pandas=True),
        since=since.to_numpy(str),
        until=until.to_numpy(str),
        in_scope=~known["in_scope"].isin((False,)).to_numpy(bool),  # what is not said, is
        urgent=(known["routine"] == "emergency").to_numpy(bool),
        by_calendar=(known["clock"] == "calendar").to_numpy(bool),
    )
