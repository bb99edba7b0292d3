"""study.toml: the settings of a study, read with every mistake named, written with comments."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from svcmetrics import lang
from svcmetrics.io.headers import suggestion
from svcmetrics.io.safe_files import open_file
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import MIN_COMMENTS, MIN_RATERS, Settings, Wave

FILE = "study.toml"
_MAX_BYTES = 1_000_000
_TOP = ("name", "language", "timezone", "calendar", "seed", "waves", "pilot", "groups", "criteria")
_WITHIN = {
    "waves": ("id", "from", "to"),
    "pilot": ("units", "from"),
    "groups": ("raters", "comments"),
}
_BOUNDS = ("at_least", "at_most")


def read_settings(path: Path) -> tuple[Settings, list[Problem]]:
    """The settings and everything wrong with them; a wrong entry is left at its default."""
    try:
        with open_file(path, _MAX_BYTES) as file:
            text = file.read().decode("utf-8-sig")
        data = tomllib.loads(text)
    except UnicodeDecodeError:
        return Settings(), [Problem("settings_encoding", file=path.name)]
    except tomllib.TOMLDecodeError as error:
        return Settings(), [Problem("settings_syntax", file=path.name, rows=line_of(error))]
    except StudyError as error:
        return Settings(), list(error.problems)
    reader = _Reader(data, path.name)
    return reader.settings(), reader.problems


def line_of(error: tomllib.TOMLDecodeError) -> tuple[int, ...]:
    """The line at which the parser stopped; its words are for programmers."""
    return tuple(int(n) for n in re.findall(r"at line (\d+)", str(error)))


def write_settings(settings: Settings) -> str:
    """The text of study.toml; reading it gives the same settings."""
    import tomli_w

    data: dict[str, Any] = {
        key: getattr(settings, key) for key in ("name", "language", "timezone", "calendar", "seed")
    }
    if settings.waves:
        data["waves"] = [
            {"id": w.id, "from": _plain(w.start), "to": _plain(w.end)} for w in settings.waves
        ]
    pilot = {"units": list(settings.pilot_units)} if settings.pilot_units else {}
    data["pilot"] = pilot | (
        {"from": _plain(settings.pilot_from)} if settings.pilot_from is not None else {}
    )
    data["groups"] = {"raters": settings.min_raters, "comments": settings.min_comments}
    data["criteria"] = {k: dict(v) for k, v in settings.criteria.items()}
    return tomli_w.dumps({k: v for k, v in data.items() if v != {}})


class _Reader:
    """Takes the entries out one by one and notes what does not fit."""

    def __init__(self, data: dict[str, Any], file: str):
        self._data, self._file = data, file
        self.problems: list[Problem] = []

    def settings(self) -> Settings:
        self._unknown(self._data, _TOP, "")
        zone = self._one_of_zones()
        pilot, groups = self._section("pilot"), self._section("groups")
        return Settings(
            name=self._take(self._data, "name", str, "study"),
            language=self._word("language", lang.LANGUAGES, "zh"),
            timezone=zone,
            calendar=self._take(self._data, "calendar", str, "cn"),
            waves=tuple(self._waves(zone)),
            pilot_units=self._names(pilot, "units"),
            pilot_from=self._moment(pilot, "from", zone, "pilot."),
            min_raters=self._floor(groups, "raters", MIN_RATERS),
            min_comments=self._floor(groups, "comments", MIN_COMMENTS),
            criteria=self._criteria(),
            seed=self._seed(),
        )

    def _say(self, key: str, entry: str, level: str = "error", **values: Any) -> None:
        self.problems.append(Problem(key, {"entry": entry, **values}, file=self._file, level=level))

    def _take(self, data: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
        value = data.get(key, default)
        if type(value) is not kind:
            self._say("settings_kind", key, found=str(value)[:60], kind=kind.__name__)
            return default
        return value

    def _word(self, key: str, known: tuple[str, ...], default: str) -> str:
        value = self._take(self._data, key, str, default)
        if value not in known:
            self._say("settings_word", key, found=value, known=list(known))
            return default
        return str(value)

    def _one_of_zones(self) -> str:
        if "timezone" not in self._data:
            self._say("settings_no_zone", "timezone", level="warning", default=Settings.timezone)
        name = self._take(self._data, "timezone", str, Settings.timezone)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._say("settings_zone", "timezone", found=name)
            return Settings.timezone
        return str(name)

    def _section(self, key: str) -> dict[str, Any]:
        section = self._take(self._data, key, dict, {})
        self._unknown(section, _WITHIN[key], f"{key}.")
        return dict(section)

    def _unknown(self, data: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
        for key in set(data) - set(known):
            self._say(
                "settings_unknown", prefix + key, level="warning", near=suggestion(key, known)
            )

    def _waves(self, zone: str) -> Iterator[Wave]:
        seen: set[str] = set()
        for entry in self._take(self._data, "waves", list, []):
            if (
                not isinstance(entry, dict)
                or not isinstance(entry.get("id"), str)
                or entry["id"] in seen
            ):
                self._say("settings_wave", "waves", found=str(entry)[:80])
                continue
            seen.add(entry["id"])
            self._unknown(entry, _WITHIN["waves"], "waves.")
            start, end = (
                self._moment(entry, k, zone, f"waves.{entry['id']}.") for k in ("from", "to")
            )
            if start is None or end is None or end < start:
                self._say("settings_wave_dates", f"waves.{entry['id']}")
            else:
                yield Wave(entry["id"], start, end)

    def _moment(
        self, data: Mapping[str, Any], key: str, zone: str, prefix: str
    ) -> pd.Timestamp | None:
        """A date (midnight in the study's zone) or a time."""
        value = data.get(key)
        if value is None:
            return None
        try:
            if not isinstance(value, (str, dt.date)):
                raise ValueError
            at = pd.Timestamp(value).as_unit("us")
            return at.tz_localize(zone) if at.tzinfo is None else at.tz_convert(zone)
        except (ValueError, TypeError):
            self._say("settings_date", prefix + key, found=str(value)[:40])
            return None

    def _names(self, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = data.get(key, [])
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            self._say("settings_kind", f"pilot.{key}", found=str(names)[:60], kind="list")
            return ()
        return tuple(names)

    def _floor(self, data: Mapping[str, Any], key: str, floor: int) -> int:
        value = self._take(data, key, int, floor)
        if value < floor:
            self._say("settings_floor", f"groups.{key}", found=value, floor=floor)
            return floor
        return int(value)

    def _criteria(self) -> dict[str, dict[str, float]]:
        found = {}
        for measure, bounds in self._take(self._data, "criteria", dict, {}).items():
            entry = f"criteria.{measure}"
            if (
                not isinstance(bounds, dict)
                or not bounds
                or not all(_is_number(v) for v in bounds.values())
            ):
                self._say("settings_criterion", entry, found=str(bounds)[:60])
                continue
            self._unknown(bounds, _BOUNDS, f"{entry}.")
            found[measure] = {k: float(v) for k, v in bounds.items() if k in _BOUNDS}
        return found

    def _seed(self) -> int:
        seed = self._take(self._data, "seed", int, 0)
        if seed < 0:
            self._say("settings_kind", "seed", found=seed, kind="int ≥ 0")
            return 0
        return int(seed)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _plain(at: pd.Timestamp) -> dt.datetime | dt.date:
    """A midnight as a date, any other moment with its offset."""
    if at == at.normalize():
        return at.date()
    moment, offset = at.to_pydatetime(), at.utcoffset()
    return moment if offset is None else moment.replace(tzinfo=dt.timezone(offset))
