"""A log in order is read once; whatever it tells is what the engine would have found by sorting."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from svcmetrics import measure
from svcmetrics.io import engine, held
from svcmetrics.measure import in_order, log_file, waits
from svcmetrics.measure.automatic import _decided
from svcmetrics.measure.log import Log, canonical, read_log
from svcmetrics.measure.per_case import per_case
from svcmetrics.simulate import company
from tests.measure.logs import SMALL

ZONE = "Asia/Shanghai"
STUDY = company(events=3000, ratings=300, units=6)
WHOLE = STUDY.event.assign(
    # Numbers of any size, comments at the end, a rejection opened again: all within what is ordinary.
    seq=STUDY.event["seq"] * 3 - 7
)


@pytest.fixture(autouse=True)
def nothing_held():
    held.forget()


def _sorted(table, *by):
    rows = engine.frame(table)
    return rows.sort_values(list(by), ignore_index=True)


def _same(one, two, *by):
    columns = list(two.columns)
    pd.testing.assert_frame_equal(_sorted(one, *by)[columns], _sorted(two, *by)[columns])
    assert dict(one.schema().items()) == dict(two.schema().items())


def _cut(size):
    """The rows of a log in parts of this size, wherever cases begin and end."""
    parts = in_order.stream.parts

    def cut(table, *, rows):
        for part in parts(table, rows=rows):
            yield from (part.slice(n, size) for n in range(0, len(part), size))

    return cut


@pytest.mark.parametrize("events", [SMALL, WHOLE], ids=["small", "company"])
@pytest.mark.parametrize("size", [1, 2, 7, 500_000])
def test_the_same_tables_as_by_sorting(events, size, monkeypatch):
    monkeypatch.setattr(in_order.stream, "parts", _cut(size))
    table = canonical(events, ZONE)
    found = in_order.pieces(table)
    plain = Log(table, engine.keep(per_case(table)), 0)
    cases = plain.cases.mutate(is_doubtful=False)  # a long case is only doubtful until it is seen
    _same(found.cases, cases, "case_id")
    pauses, back = waits._stretches(plain)
    _same(found.pauses, pauses, "case_id", "a_us")
    _same(found.back, back, "case_id", "seq")
    _same(found.decisions, _decided(plain), *found.decisions.columns)


def _worse(flaw):
    e = SMALL.copy()
    if flaw == "case in two places":
        return pd.concat([e.iloc[1:], e.iloc[:1]], ignore_index=True)
    if flaw == "number falls":
        return e.iloc[[1, 0, *range(2, len(e))]].reset_index(drop=True)
    if flaw == "number twice":
        e.loc[1, "seq"] = e.loc[0, "seq"]
    elif flaw == "two services":
        e.loc[1, "service_id"] = "IT1"
    elif flaw == "unknown action":
        e.loc[1, "action"] = "stamp"
    elif flaw == "two predecessors":
        e.loc[[0, 1], "prev_case_id"] = ["x", "y"]
    else:
        e.loc[1, flaw] = pd.NaT if flaw == "at" else None
    return e


@pytest.mark.parametrize(
    "flaw",
    ["case in two places", "number falls", "number twice", "two services", "unknown action",
     "two predecessors", "at", "action", "service_id", "case_id", "seq"],
)  # fmt: skip
def test_a_log_with_a_flaw_is_left_to_the_engine(flaw):
    assert in_order.pieces(canonical(_worse(flaw), ZONE)) is None
    assert in_order.pieces(canonical(SMALL, ZONE)) is not None


def test_a_case_that_fills_many_parts_is_left_to_the_engine(monkeypatch):
    longest = SMALL["case_id"].value_counts().max()
    monkeypatch.setattr(in_order.stream, "parts", _cut(2))
    for rows, fits in ((longest, True), (longest - 1, False)):
        monkeypatch.setattr(in_order, "_ROWS", int(rows))
        assert (in_order.pieces(canonical(SMALL, ZONE)) is not None) == fits


def test_no_events_are_no_cases():
    found = in_order.pieces(canonical(SMALL.iloc[:0], ZONE))
    assert engine.row(found.cases.aggregate(n=found.cases.count()))["n"] == 0


@pytest.mark.parametrize(
    ("name", "given"),
    [("automatic", {"steps": STUDY.step}), ("volume", {}), ("volume", {"by": "month"}),
     ("volume", {"services": STUDY.service, "by": ["provider_id", "action"]}),
     ("returns", {"services": STUDY.service, "steps": STUDY.step}), ("returns", {"by": "month"}),
     ("returns", {"by": None}), ("rejections", {"steps": STUDY.step}),
     ("on_time", {"services": STUDY.service, "steps": STUDY.step, "calendar": STUDY.calendar})],
)  # fmt: skip
def test_any_order_of_rows_gives_the_same_answer(name, given):
    mixed = WHOLE.sample(frac=1, random_state=np.random.default_rng(3))
    one, two = (getattr(measure, name)(e, **given) for e in (WHOLE, mixed))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert one.about == two.about
    assert one.text == two.text
    assert read_log(WHOLE, ZONE).ready
    assert not read_log(mixed, ZONE).ready


@pytest.fixture
def stored(tmp_path):
    """A log as a Parquet file, with its text coded or not."""

    def store(events, **schema):
        path = tmp_path / "event.parquet"
        rows = pa.Table.from_pandas(events, preserve_index=False)
        for name, kind in schema.items():
            rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(kind))
        pq.write_table(rows, path, row_group_size=500)
        return path

    return store


STAMPED = WHOLE.assign(at=WHOLE["at"].dt.as_unit("us"))


@pytest.mark.parametrize("rows", [100, 700, 122_880])
@pytest.mark.parametrize("bare", [False, True], ids=["with zone", "on the clock"])
def test_a_file_read_by_itself_tells_the_same(stored, rows, bare, monkeypatch):
    events = STAMPED
    if bare:  # a zone with summer time, so that hours are skipped and doubled
        events = events.assign(at=events["at"].dt.tz_localize(None))
    zone = "Europe/Berlin" if bare else ZONE
    path = stored(events)
    monkeypatch.setattr(in_order, "_ROWS", rows)
    table = canonical(path, zone)
    assert log_file.batches(path, zone, rows=rows) is not None
    one, two = in_order.pieces(table), in_order.pieces(table, file=path, timezone=zone)
    _same(two.cases, one.cases, "case_id")
    _same(two.pauses, one.pauses, "case_id", "a_us")
    _same(two.back, one.back, "case_id", "seq")
    _same(two.decisions, one.decisions, *one.decisions.columns)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("at", pa.timestamp("ms", ZONE)), ("at", pa.string()), ("seq", pa.float64()),
     ("is_auto", pa.int8()), ("service_id", pa.binary())],
)  # fmt: skip
def test_a_file_of_other_types_is_left_to_the_engine(stored, name, kind):
    path = stored(STAMPED, **{name: kind})
    assert log_file.batches(path, ZONE, rows=100) is None


def test_what_is_no_file_or_lacks_a_column_is_left_to_the_engine(stored, tmp_path):
    (tmp_path / "text.parquet").write_text("nothing", encoding="utf-8")
    for path in (tmp_path, tmp_path / "none.parquet", tmp_path / "text.parquet"):
        assert log_file.batches(path, ZONE, rows=100) is None
    assert log_file.batches(stored(STAMPED.drop(columns="action")), ZONE, rows=100) is None


@pytest.mark.parametrize("flaw", ["unknown action", "at", "action", "case_id", "two predecessors"])
def test_a_flaw_in_a_file_is_seen(stored, flaw):
    worse = _worse(flaw)
    worse = worse.assign(at=pd.to_datetime(worse["at"]).dt.as_unit("us"))
    path = stored(worse.astype({"step_no": "Int64", "to_step_no": "Int64"}))
    assert log_file.batches(path, ZONE, rows=100) is not None
    assert in_order.pieces(canonical(path, ZONE), file=path, timezone=ZONE) is None


def test_a_file_without_the_columns_that_may_be_missing(stored):
    needed = STAMPED[["case_id", "seq", "service_id", "at", "action"]]
    path = stored(needed)
    table = canonical(path, ZONE)
    one, two = in_order.pieces(table), in_order.pieces(table, file=path, timezone=ZONE)
    _same(two.cases, one.cases, "case_id")


def test_cases_of_an_engine_are_known_without_being_worked_out(stored, monkeypatch):
    events = engine.as_table(stored(STAMPED))
    given = {"services": STUDY.service, "steps": STUDY.step, "calendar": STUDY.calendar}
    cases = measure.cases(events, **given)
    summed = []
    monkeypatch.setattr(engine, "checksum", lambda *a: summed.append(a))
    assert held.mark(cases) is not None
    assert not summed
    assert held.mark(cases) == held.mark(measure.cases(events, **given))
    other = measure.cases(events, **given | {"services": STUDY.service.iloc[:3]})
    assert held.mark(other) != held.mark(cases)
    later = measure.cases(events, until="2030-01-01", **given)
    assert held.mark(later) not in (held.mark(cases), held.mark(other))
    # What is asked of a changed table is not that of the table it was made of.
    assert held.mark(cases.filter(cases["status"] == "closed")) is None
    assert len(summed) == 1


def test_a_damaged_file_is_left_to_the_engine(stored):
    path = stored(STAMPED)
    whole = path.read_bytes()
    table = canonical(path, ZONE)
    path.write_bytes(whole[:4] + bytes(2000) + whole[2004:])
    assert in_order.pieces(table, file=path, timezone=ZONE) is None
