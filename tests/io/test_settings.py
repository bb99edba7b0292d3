"""study.toml: read with every mistake named, written so that it reads back the same."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcmetrics.io.settings import read_settings, write_settings
from svcmetrics.study import Settings, Wave

ZONE = "Asia/Shanghai"


def _read(folder, text):
    path = folder / "study.toml"
    path.write_text(text, "utf-8")
    return read_settings(path)


def _at(text):
    return pd.Timestamp(text, tz=ZONE).as_unit("us")


def test_the_documented_layout(tmp_path):
    settings, problems = _read(
        tmp_path,
        """
        name = "试点"
        language = "en"
        timezone = "Asia/Shanghai"
        calendar = "cn"
        seed = 7
        [[waves]]
        id = "w1"
        from = 2025-06-01
        to = 2025-06-30T18:00:00+08:00
        [pilot]
        units = ["HR"]
        from = 2025-03-01
        [groups]
        raters = 6
        comments = 12
        [criteria.on_time]
        at_least = 0.8
        """,
    )
    assert problems == []
    assert settings == Settings(
        name="试点",
        language="en",
        seed=7,
        waves=(Wave("w1", _at("2025-06-01"), _at("2025-06-30 18:00")),),
        pilot_units=("HR",),
        pilot_from=_at("2025-03-01"),
        min_raters=6,
        min_comments=12,
        criteria={"on_time": {"at_least": 0.8}},
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name = ", "settings_syntax"),
        ("name = 3", "settings_kind"),
        ('language = "fr"', "settings_word"),
        ('timezone = "Mars/Base"', "settings_zone"),
        ("[groups]\nraters = 3", "settings_floor"),
        ("[groups]\nraters = true", "settings_kind"),
        ("[[waves]]\nfrom = 2025-01-01", "settings_wave"),
        ('[[waves]]\nid = "a"\nfrom = 2025-02-01\nto = 2025-01-01', "settings_wave_dates"),
        ('[pilot]\nfrom = "soon"', "settings_date"),
        ("[pilot]\nunits = 3", "settings_kind"),
        ("[criteria.x]\nat_least = nan", "settings_criterion"),
        ("seed = -1", "settings_kind"),
    ],
)
def test_mistakes_are_named(tmp_path, text, key):
    _, problems = _read(tmp_path, text)
    assert key in [p.key for p in problems if p.level == "error"]
    assert all(p.say("zh") and p.say("en") for p in problems)


def test_a_misspelt_setting_gets_a_suggestion(tmp_path):
    _, problems = _read(tmp_path, 'timezone = "UTC"\ncalender = "cn"')
    assert [(p.key, p.values["near"], p.level) for p in problems] == [
        ("settings_unknown", "calendar", "warning")
    ]


def test_a_missing_time_zone_is_told(tmp_path):
    assert [p.key for p in _read(tmp_path, 'name = "x"')[1]] == ["settings_no_zone"]


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes('name = "试点"'.encode("gb18030"))
    assert [p.key for p in read_settings(path)[1]] == ["settings_encoding"]


moments = st.datetimes(
    pd.Timestamp("2000-01-01").to_pydatetime(), pd.Timestamp("2090-01-01").to_pydatetime()
)
names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)


@given(name=names, seed=st.integers(0, 2**31), starts=st.lists(moments, max_size=3,
    unique=True), raters=st.integers(5, 50),
       bound=st.floats(-1e9, 1e9))  # fmt: skip
def test_written_settings_read_back_the_same(tmp_path_factory, name, seed, starts, raters, bound):
    waves = tuple(Wave(f"w{i}", _at(t), _at(t) + pd.Timedelta("30D")) for i, t in enumerate(starts))
    settings = Settings(
        name=name, seed=seed, waves=waves, min_raters=raters, criteria={name: {"at_most": bound}}
    )
    again, problems = _read(tmp_path_factory.mktemp("settings"), write_settings(settings))
    assert (again, problems) == (settings, [])
