"""The same data give the same numbers in the next version, or the CHANGELOG says so.

``tests/records/<question>.json`` holds what every metric says of its sample, of the sample damaged in
a dozen ways, and with every other word of its options: the table, the findings, what was dropped,
or the refusal. It says nothing of right or wrong: the published tables and the peers do.

``python -m tests.unchanged`` prints what differs from the records; ``--write`` keeps it, after you have
read it; ``--write --again NAME`` also thinks of the cases of a metric anew (its options have changed).
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import json
import sys
import time
import typing
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature, unwrap
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics import lang
from svcmetrics.privacy import Published
from svcmetrics.problems import InputError
from svcmetrics.result import Result
from tests.conftest import ROOT
from tests.records.subjects import MORE, Subject, subjects

FOLDER = ROOT / "tests" / "records"
# Seconds of the processor that the cases of one subject may take together.
SECONDS = 0.5
# So many there are in any case, unless they take four times as long.
LEAST = 8
# So much is shown of what differs in one metric.
SHOWN, WIDE = 4, 200
# Longer lists and tables are held as sums, which notice a change as well but do not show it.
LONG = 12
# Enough for another processor's last digits, too little for another formula.
_RELATIVE, _NOTHING = 2e-6, 1e-9
_AS_IT_IS = "as it is"
# Of a result's `about`: said by the registry, not found in the data.
_CONSTANT = {"metric", "reference", "version"}


# How a table is damaged: a word, and the column that it concerns


def _set(data: pd.DataFrame, column: str, row: int, value: object) -> pd.DataFrame:
    data[column] = data[column].astype(object)
    data.iloc[min(row, len(data) - 1), data.columns.get_loc(column)] = value
    return data


def _missing(data: pd.DataFrame, _: str) -> pd.DataFrame:
    for k, column in enumerate(data.columns):
        gone = np.random.default_rng([7, k]).random(len(data)) < 0.06
        data[column] = data[column].mask(gone)
    return data


def _level(data: pd.DataFrame, column: str) -> np.ndarray:
    """The values of a column, numbered as they come; -1: missing."""
    return np.asarray(pd.factorize(data[column])[0])


def _drawn(data: pd.DataFrame, column: str) -> np.ndarray:
    """A number between 0 and 1 for each row, other ones for each column."""
    return np.random.default_rng([8, zlib.crc32(column.encode())]).random(len(data))


def _halved(data: pd.DataFrame, column: str) -> pd.DataFrame:
    return data.assign(**{column: (data[column] > data[column].median()) + 1.0})


CHANGES: dict[str, Callable[[pd.DataFrame, str], pd.DataFrame]] = {
    "fewer": lambda d, _: d.sample(frac=0.6, random_state=5).sort_index(),
    "missing": _missing,
    "few": lambda d, _: d.head(4),
    "one": lambda d, _: d.head(1),
    "none": lambda d, _: d.head(0),
    "twice": lambda d, _: pd.concat([d, d.head(2)]),
    "tied": _halved,
    "constant": lambda d, c: d.assign(**{c: d[c].iloc[0]}),
    "only": lambda d, c: d[d[c] == d[c].iloc[0]],
    "without": lambda d, c: d.drop(columns=c),
    "empty": lambda d, c: d.assign(**{c: d[c].mask(np.ones(len(d), dtype=bool))}),
    "text": lambda d, c: _set(d, c, 1, "?"),
    "endless": lambda d, c: _set(d, c, 2, np.inf),
    "minus": lambda d, c: d.assign(**{c: -d[c]}),
    "whole": lambda d, c: d.assign(**{c: d[c].round()}),
    # These are not thought of: a search has found where they see more (``found.json``).
    "third": lambda d, _: d.sample(frac=1 / 3, random_state=11).sort_index(),
    "most": lambda d, _: d.sample(frac=0.8, random_state=12).sort_index(),
    "backwards": lambda d, _: d.iloc[::-1],
    "doubled": lambda d, _: pd.concat([d, d]),
    "first": lambda d, c: d[_level(d, c) < 1],
    "two": lambda d, c: d[_level(d, c) < 2],
    "three": lambda d, c: d[_level(d, c) < 3],
    "not": lambda d, c: d[_level(d, c) != 0],
    "last": lambda d, c: d[_level(d, c) == _level(d, c).max()],
    "lone": lambda d, c: d[(_level(d, c) != 0) | (np.arange(len(d)) == (_level(d, c) == 0).argmax())],
    "rare": lambda d, c: d[(_level(d, c) != 0) | (_drawn(d, c) < 0.2)],
    "gone": lambda d, c: d.assign(**{c: d[c].mask(_drawn(d, c) < 0.15)}),
    "none-of": lambda d, c: d.assign(**{c: d[c].mask(_level(d, c) == 0)}),
    "words": lambda d, c: d.assign(**{c: d[c].astype(str)}),
    "kinds": lambda d, c: d.assign(**{c: d[c].astype("category")}),
    "top": lambda d, c: d.assign(**{c: d[c].where(np.arange(len(d)) * 3 >= len(d), d[c].max())}),
    "bottom": lambda d, c: d.assign(**{c: d[c].where(_drawn(d, c) < 0.7, d[c].min())}),
    "nought": lambda d, c: d.assign(**{c: d[c].where(_drawn(d, c) < 0.8, 0)}),
    "even": lambda d, c: d.assign(**{c: d[c] // 2 * 2}),
    "tenfold": lambda d, c: d.assign(**{c: d[c] * 10}),
}  # fmt: skip
OF_ALL = ("missing", "fewer", "few", "twice", "none", "one")
OF_NUMBERS = ("tied", "constant", "minus", "endless", "text", "empty", "whole")
OF_NAMES = ("only", "constant", "empty")


def damaged(data: pd.DataFrame, how: str) -> pd.DataFrame:
    """In one way, or in several: "fewer + tied points"."""
    if how == _AS_IT_IS:
        return data.copy()
    for step in how.split(" + "):
        word, _, column = step.partition(" ")
        data = CHANGES[word](data.copy(), column).reset_index(drop=True)
    return data


# What was said, as plain data


def answer(subject: Subject, case: str) -> Any:
    """What a subject says of a case, such as ``fewer {'interval': 'bootstrap'}``."""
    how, _, rest = case.partition(" {")
    changes = ast.literal_eval("{" + rest) if rest else {}
    with warnings.catch_warnings(), lang.speaking("zh"):
        warnings.simplefilter("error")
        for kind in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", kind)
        try:
            said = subject.function(damaged(subject.data, how), **{**subject.arguments, **changes})
        except InputError as error:
            return {"refused": [[p.key, p.column, plain(dict(p.values))] for p in error.problems]}
        except Exception as error:  # noqa: BLE001 - this, too, is what it says
            return {"falls": type(error).__name__}
    return _of_result(said) if isinstance(said, Result) else {"table": plain(said)}


def _of_result(said: Result) -> dict[str, Any]:
    about = {k: plain(v) for k, v in said.about.items() if k not in _CONSTANT}
    return {
        "table": plain(said.table),
        "findings": [[f.key, f.level, plain(dict(f.values))] for f in said.findings],
        "about": about,
    }


@functools.singledispatch
def plain(value: Any) -> Any:
    """Numbers to eight digits, short lists as they are, long ones as sums, all else as text."""
    if value is None or isinstance(value, (bool, int, float, np.generic)):
        return _one(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(v) for v in value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value] if len(value) <= LONG else _column(pd.Series(value))
    if isinstance(value, (str, pd.Timestamp)) or value is pd.NA or value is pd.NaT:
        return str(value)
    return type(value).__name__ if " at 0x" in repr(value) else str(value)


def _one(value: Any) -> Any:
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(f"{float(value):.8g}") if np.isfinite(value) else str(float(value))
    return str(value)


@plain.register
def _(value: Published) -> Any:
    told = [[f.key, f.level, plain(dict(f.values))] for f in value.findings]
    floors = {"name": value.name, "hidden": value.hidden, "min_n": value.min_n}
    return {"table": plain(value.table), "findings": told, **floors}


@plain.register
def _(value: pd.DataFrame) -> Any:
    return {str(c): plain(value[c]) for c in value.columns} | {"": len(value)}


@plain.register(pd.Series)
@plain.register(np.ndarray)
@plain.register(pd.Index)
def _(value: Any) -> Any:
    flat = pd.Series(np.asarray(value).ravel() if isinstance(value, np.ndarray) else value)
    return [plain(v) for v in flat] if len(flat) <= LONG else _column(flat)


def _column(values: pd.Series) -> Any:
    """A long column: how many are missing, and two sums that every value and its place move."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        number = values.to_numpy("float64", na_value=np.nan)
        known = np.where(np.isfinite(number), number, 0.0)
        weight = 1 + np.arange(len(known)) * 0.6180339887498949 % 1
        gone = [int(np.isnan(number).sum()), int(np.isinf(number).sum())]
        return {"sums": [*gone, *(plain(s) for s in (known.sum(), weight @ known))],
                "size": plain(np.abs(known).sum())}  # fmt: skip
    said = "\n".join(str(plain(v)) for v in values)
    return {"text": hashlib.sha256(said.encode()).hexdigest()[:10]}


def differences(before: Any, now: Any, at: str = "") -> Iterator[str]:
    """Where two answers differ, one line each."""
    if isinstance(before, dict) and isinstance(now, dict):
        if "sums" in before and "sums" in now:
            near = 2e-6 * before["size"] + _NOTHING
            if any(abs(b - n) > near for b, n in zip(before["sums"], now["sums"], strict=True)):
                yield f"{at}: sums {before['sums']} -> {now['sums']}"
            return
        for key in dict.fromkeys([*before, *now]):
            yield from differences(before.get(key, "–"), now.get(key, "–"), f"{at}.{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for k, (one, two) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, two, f"{at}[{k}]")
    elif not _same(before, now):
        yield f"{at.lstrip('.')}: {before!r} -> {now!r}"


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, float) and isinstance(now, (int, float)) and not isinstance(now, bool):
        return abs(before - now) <= _RELATIVE * abs(before) + _NOTHING
    return type(before) is type(now) and before == now


# Which cases there are


def thought_of(name: str, subject: Subject) -> Iterator[str]:
    """The sample as it is, every other word or number of an option, and every damage."""
    yield _AS_IT_IS
    for changes in [*MORE.get(name, ()), *_options(subject)]:
        yield f"{_AS_IT_IS} {changes!r}"
    for word in OF_ALL:
        yield word
    columns = [c for c in _used(subject) if c in subject.data.columns]
    for column in columns:
        number = pd.api.types.is_numeric_dtype(subject.data[column])
        for word in OF_NUMBERS if number else OF_NAMES:
            yield f"{word} {column}"
        yield f"without {column}"
        if number and subject.data[column].nunique() < len(subject.data) / 3:
            yield f"only {column}"


def _used(subject: Subject) -> list[str]:
    """The columns that a call names, by itself or by default; all when the names are fixed."""
    defaults = {
        k: p.default
        for k, p in signature(subject.function).parameters.items()
        if isinstance(p.default, str)
    }
    values: list[Any] = []
    for value in {**defaults, **subject.arguments}.values():
        values += value if isinstance(value, (list, tuple)) else [value]
    named = [v for v in values if isinstance(v, str) and v in subject.data.columns]
    return list(subject.data.columns) if subject.fixed_names else list(dict.fromkeys(named))


def _options(subject: Subject) -> Iterator[dict[str, Any]]:
    hints: dict[str, Any] = {}
    with suppress(NameError):  # a hint for the checker of types alone
        hints = typing.get_type_hints(unwrap(subject.function))
    for name, parameter in list(signature(subject.function).parameters.items())[1:]:
        now = subject.arguments.get(name, parameter.default)
        for value in _others(subject, name, now, hints.get(name)):
            yield {name: value}
        if parameter.default is None and now is not None:
            yield {name: None}


def _others(subject: Subject, name: str, now: Any, hint: Any) -> list[Any]:
    if isinstance(now, (bool, int, float)):
        return _other_numbers(now)
    if typing.get_origin(hint) is typing.Literal:
        return [*(w for w in typing.get_args(hint) if w != now), "?"]
    if now is None and name in subject.data.columns:
        return [name]
    if isinstance(now, str) and now not in subject.data.columns:
        said = answer(subject, f"{_AS_IT_IS} { ({name: '?'})!r}")
        words = [p[2].get("known") for p in said.get("refused", []) if isinstance(p[2], dict)]
        return [*(w for known in words if known for w in known if w != now), "?"]
    return []


def _other_numbers(now: float) -> list[float]:
    if isinstance(now, int):
        return [not now] if isinstance(now, bool) else [now + 1]
    return [now / 2, 1 - now / 3] if 0 < now <= 1 else [now * 1.5]


# The records


def record(question: str) -> dict[str, dict[str, Any]]:
    path = FOLDER / f"{question}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def keep(question: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """One line for each case, so that a change of one is a change of one line."""
    parts = []
    for name in sorted(answers):
        cases = [f"{_json(case)}: {_json(said)}" for case, said in answers[name].items()]
        parts.append(f"{_json(name)}: {{\n" + ",\n".join(cases) + "\n}")
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    (FOLDER / f"{question}.json").write_text(text, "utf-8", newline="\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@functools.cache
def _found() -> dict[str, list[str]]:
    return json.loads((FOLDER / "found.json").read_text("utf-8"))


def looked_for(name: str) -> list[str]:
    """Cases drawn by chance of which the metric says what it says nowhere else."""
    return _found().get(name, [])


def first_answers(name: str, subject: Subject) -> dict[str, Any]:
    """Every case that says something of its own, as long as the time lasts; the first one always."""
    if subject.cases:
        return {case: answer(subject, case) for case in [*subject.cases, *looked_for(name)]}
    found: dict[str, Any] = {}
    said: set[str] = set()
    left = SECONDS
    for case in dict.fromkeys(thought_of(name, subject)):
        if (left < 0 and len(found) >= LEAST) or left < -4 * SECONDS:
            break
        start = time.process_time()
        new = answer(subject, case)
        left -= time.process_time() - start if found else 0
        if _json(new) not in said:
            found[case] = new
            said.add(_json(new))
    return found | {case: answer(subject, case) for case in looked_for(name) if case not in found}


@dataclass
class _Told:
    lines: list[str] = field(default_factory=list)
    falls: list[str] = field(default_factory=list)


def _renewed(question: str, again: Sequence[str], told: _Told) -> dict[str, dict[str, Any]]:
    old, new = record(question), {}
    for name, subject in subjects()[question].items():
        if name in again or name not in old:
            new[name] = first_answers(name, subject)
            told.lines.append(f"{question} {name}: {len(new[name])} cases, thought of anew")
        else:
            cases = dict.fromkeys([*old[name], *looked_for(name)])
            new[name] = {case: answer(subject, case) for case in cases}
            lines = [
                f"{question} {name} | {case} | {line}"
                for case, said in new[name].items()
                for line in differences(old[name].get(case), said)
            ]
            told.lines += [line[:WIDE] for line in lines[:SHOWN]]
            if len(lines) > SHOWN:
                told.lines.append(f"{question} {name}: {len(lines) - SHOWN} more differences")
        told.falls += [f"{question} {name} | {c}: {a['falls']}"
                       for c, a in new[name].items() if "falls" in a]  # fmt: skip
    told.lines += [f"{question} {name}: gone" for name in old if name not in new]
    return new


def main(args: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py unchanged", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep what is said now")
    parser.add_argument("--again", nargs="*", default=[], metavar="NAME")
    asked = parser.parse_args(args)
    told = _Told()
    for question in subjects():
        new = _renewed(question, asked.again, told)
        if asked.write:
            keep(question, new)
    print("\n".join([*told.lines, *told.falls]) or "nothing has changed")  # noqa: T201
    return int(bool(told.falls) or (bool(told.lines) and not asked.write))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
