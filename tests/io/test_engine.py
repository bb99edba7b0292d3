"""The contract of the engine's verbs; another engine has to pass the same tests."""

import pandas as pd
import pyarrow as pa
import pytest

from svcmetrics.io import engine
from svcmetrics.problems import TableError

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
        table = engine.as_table(given)
        assert engine.row(table.aggregate(n=table.count())) == {"n": 4}
    with pytest.raises(TableError, match="int"):
        engine.as_table(5)


def test_ids_written_as_numbers_and_as_text_become_text():
    table = engine.as_table(pd.DataFrame({"id": ["x1", 7, None]}))
    assert table.schema()["id"].is_string()


def test_whole_microseconds_with_and_without_a_zone():
    zoned = FRAME.assign(at=FRAME["at"].dt.tz_localize("Asia/Shanghai"))
    for frame, shift in ((FRAME, 0), (zoned, -8 * 3_600_000_000)):
        table = engine.as_table(frame)
        out = engine.frame(table.select(us=engine.micros(table["at"])))["us"]
        assert out[0] == 1_704_067_200_000_001 + shift
        assert pd.isna(out[3])


def test_first_and_last_by_a_key_among_some_rows():
    t = engine.as_table(FRAME)
    shut = t["word"] == "shut"
    table = t.group_by("case").aggregate(
        first=engine.first_by(t["word"], t["seq"], t["seq"] > 0),
        last=engine.last_by(t["seq"], t["seq"], shut),
    )
    rows = _sorted(table)
    assert [r["first"] for r in rows] == ["open", "open"]
    assert rows[0]["last"] == 2
    assert pd.isna(rows[1]["last"])


def test_kept_rows_outlive_their_frame_and_join_with_small_tables():
    kept = engine.keep(engine.as_table(FRAME.copy()))
    more = kept.join(engine.small({"case": ["a"], "x": [3]}), "case")
    assert engine.row(more.aggregate(n=more.count(), x=more["x"].sum())) == {"n": 2, "x": 6}
    assert engine.home(more) is engine.home(kept)


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


def test_a_limit_that_is_no_limit_is_refused():
    with pytest.raises(TableError):
        engine.limit(memory="1GB'; DROP TABLE x; --")
    engine.limit(memory="2GB", threads=2)
