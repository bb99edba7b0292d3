"""The contract of the engine's verbs: both engines have to pass the same tests."""

from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from svcmetrics.io import engine
from svcmetrics.problems import TableError
from tests.spark import on_spark

FRAME = pd.DataFrame(
    {
        "case": ["a", "a", "b", "b"],
        "seq": [1, 2, 1, 2],
        "at": pd.to_datetime(
            ["2024-01-01 00:00:00.000001", "2024-01-02", "2024-01-05", None], format="ISO8601"
        ),
        "word": ["open", "shut", "open", None],
    }
)


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.xdist_group("spark"))])
def table(request):
    """A maker of tables, in one engine and in the other."""
    if request.param == "duckdb":
        return engine.as_table
    session = request.getfixturevalue("spark_session")
    return lambda frame: engine.as_table(on_spark(session, frame))


def _sorted(table) -> list:
    frame = engine.frame(table)
    return frame.sort_values(list(frame.columns[:1])).to_dict("records")


def test_frames_arrow_tables_and_parquet_files_are_tables(tmp_path):
    FRAME.to_parquet(tmp_path / "x.parquet")
    for given in (
        FRAME,
        pa.Table.from_pandas(FRAME),
        tmp_path / "x.parquet",
        engine.as_table(FRAME),
    ):
        rows = engine.as_table(given)
        assert engine.row(rows.aggregate(n=rows.count())) == {"n": 4}
    with pytest.raises(TableError, match="int"):
        engine.as_table(5)


def test_ids_written_as_numbers_and_as_text_become_text():
    rows = engine.as_table(pd.DataFrame({"id": ["x1", 7, None]}))
    assert rows.schema()["id"].is_string()


def test_what_is_missing_stays_missing(table):
    rows = table(FRAME)
    found = engine.frame(rows.order_by("case", "seq"))
    assert found["word"].isna().tolist() == [False, False, False, True]
    assert found["at"].isna().tolist() == [False, False, False, True]
    assert engine.row(rows.aggregate(n=rows["word"].isnull().sum())) == {"n": 1}
    small = engine.small(
        {"case": ["a", None], "more": [None, "x"], "n": pd.array([None, 3], "Int64")}
    )
    joined = engine.frame(rows.join(small, "case"))
    assert joined["more"].isna().all()
    assert joined["n"].isna().all()


def test_whole_microseconds_with_and_without_a_zone(table):
    zoned = FRAME.assign(at=FRAME["at"].dt.tz_localize("Asia/Shanghai"))
    for frame, shift in ((FRAME, 0), (zoned, -8 * 3_600_000_000)):
        rows = table(frame)
        assert (rows["at"].type().timezone is None) == (shift == 0)
        out = engine.frame(rows.order_by("case", "seq").select(us=engine.micros(rows["at"])))["us"]
        assert out[0] == 1_704_067_200_000_001 + shift
        assert pd.isna(out[3])


def test_microseconds_as_instant_month_and_day(table):
    # 30 minutes to midnight of the last day of a leap February; and before 1970.
    rows = table(pd.DataFrame({"us": [1_709_249_400_000_001, -1]}))
    us = rows["us"]
    out = rows.select("us", at=engine.instant(us), month=engine.month(us), day=engine.day(us))
    out = engine.frame(out.order_by(ibis.desc("us")))
    assert out["month"].tolist() == ["2024-02", "1969-12"]
    assert out["day"].tolist() == ["2024-02-29", "1969-12-31"]
    assert out["at"].dt.tz is not None
    assert out["at"][0] == pd.Timestamp("2024-02-29T23:30:00.000001Z")


def test_the_zone_of_a_connection_moves_no_instant():
    backend = engine.connect()
    backend.raw_sql("SET TimeZone = 'Asia/Shanghai'")
    rows = backend.create_table("x", pd.DataFrame({"us": [0]}), temp=True)
    out = engine.frame(rows.select(at=engine.instant(rows["us"]), day=engine.day(rows["us"])))
    assert out["at"][0] == pd.Timestamp(0, tz="UTC")
    assert out["day"][0] == "1970-01-01"


def test_first_and_last_by_a_key_among_some_rows(table):
    t = table(FRAME)
    shut = t["word"] == "shut"
    rows = _sorted(
        t.group_by("case").aggregate(
            first=engine.first_by(t["word"], t["seq"], t["seq"] > 0),
            last=engine.last_by(t["seq"], t["seq"], shut),
            # A missing value is passed over.
            word=engine.last_by(t["word"], t["seq"], t["seq"] > 0),
        )
    )
    assert [r["first"] for r in rows] == ["open", "open"]
    assert [r["word"] for r in rows] == ["shut", "open"]
    assert rows[0]["last"] == 2
    assert pd.isna(rows[1]["last"])


def test_the_row_that_comes_next(table):
    both = pd.DataFrame(
        {
            "case": ["a", "a", "a", "a", "b", "c"],
            "no": [1, 4, 5, 9, 3, 1],
            "what": [None, "q", "p", None, "r", "s"],
            "left": [True, False, True, False, True, True],
            "right": [False, True, True, True, True, False],
        }
    )
    rows = engine.keep(table(both))
    left, right = (
        rows.filter(rows[side]).select("case", "no", "what") for side in both.columns[3:]
    )
    right = right.rename(next_what="what")
    out = engine.next_row(left, right.mutate(then=right["no"]), within="case", by="no")
    out = engine.frame(out.order_by("case", "no"))
    assert list(out.columns) == ["case", "no", "what", "next_what", "then"]
    # The same number is not a later one, and a row after which nothing comes stays.
    assert out["then"].fillna(-1).tolist() == [4, 9, -1, -1]
    assert out["next_what"].fillna("-").tolist() == ["q", "-", "-", "-"]


def test_bits_shifts_and_sums_over_rows(table):
    t = table(FRAME)
    bit = ibis.literal(1, "int64") << (t["seq"] * 30).cast("int64")
    out = t.group_by("case").aggregate(bits=bit.bit_or())
    assert [r["n"] for r in _sorted(out.select("case", n=engine.bits(out["bits"])))] == [2, 2]
    run = t.select("case", "seq", run=t["seq"].cumsum(group_by="case", order_by="seq"))
    assert engine.frame(run.order_by("case", "seq"))["run"].tolist() == [1, 3, 1, 3]


def test_whole_numbers_divide_into_fractions_and_keep_their_sign(table):
    t = table(pd.DataFrame({"x": [-7, 7]}))
    out = engine.frame(t.select(x=t["x"], part=t["x"] / 2, rest=t["x"] % 5).order_by("x"))
    assert out["part"].tolist() == [-3.5, 3.5]
    assert out["rest"].tolist() == [-2, 2]


def test_kept_rows_outlive_their_frame_and_join_with_small_tables(table):
    kept = engine.keep(table(FRAME.copy()))
    more = kept.join(engine.small({"case": ["a"], "x": [3]}), "case")
    again = engine.keep(more)
    assert engine.row(again.aggregate(n=again.count(), x=again["x"].sum())) == {"n": 2, "x": 6}
    assert engine.home(more) is engine.home(kept)


@pytest.mark.xdist_group("spark")
def test_a_session_is_one_engine_and_keeps_its_settings(spark_session):
    one, two = (engine.as_table(on_spark(spark_session, FRAME)) for _ in range(2))
    assert engine.home(one, two) is engine.home(one)
    assert spark_session.conf.get("spark.sql.session.timeZone") == "Asia/Shanghai"
    assert engine.is_table(on_spark(spark_session, FRAME))
    assert one.count().execute() == 4
    with pytest.raises(TableError):
        engine.home(one, engine.keep(engine.as_table(FRAME)))


def test_the_engine_fetches_nothing_and_reads_no_local_zone():
    backend = engine.connect(memory="200MB", threads=1)
    query = "SELECT name, value FROM duckdb_settings()"
    settings = dict(backend.raw_sql(query).fetchall())
    assert settings["autoinstall_known_extensions"] == "false"
    assert settings["autoload_known_extensions"] == "false"
    assert settings["TimeZone"] == "UTC"
    assert settings["threads"] == "1"


def test_two_engines_in_one_calculation_are_an_error():
    one = engine.connect().create_table("x", FRAME, temp=True)
    two = engine.connect().create_table("x", FRAME, temp=True)
    with pytest.raises(TableError):
        engine.home(one, two)


def test_an_engine_that_is_not_known_is_named():
    class Elsewhere:
        name = "elsewhere"

    table = ibis.table({"x": "int64"}, name="x")
    op = table.op().copy()
    far = ibis.expr.operations.DatabaseTable(op.name, op.schema, Elsewhere(), op.namespace)
    with pytest.raises(TableError, match="elsewhere"):
        engine.as_table(far.to_expr())


def test_a_limit_that_is_no_limit_is_refused():
    with pytest.raises(TableError):
        engine.limit(memory="1GB'; DROP TABLE x; --")
    engine.limit(memory="2GB", threads=2)


def test_what_does_not_fit_is_spilled_outside_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = engine.connect(memory="60MB", threads=1)
    small.raw_sql("CREATE TABLE t AS SELECT random() AS x FROM range(8000000)")
    assert small.raw_sql("SELECT count(*) FROM (SELECT x FROM t ORDER BY x)").fetchone() == (
        8000000,
    )
    scratch = Path(small.raw_sql("SELECT current_setting('temp_directory')").fetchone()[0])
    assert scratch.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []
