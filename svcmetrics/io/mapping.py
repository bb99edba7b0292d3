"""A mapping file: which foreign column is which column of a study, and which word is which word.

It is guessed from the headers, shown for confirmation, saved as TOML and reused. Left of "=" stands
what the foreign file says, right of it what the study says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from svcmetrics import lang
from svcmetrics.io.safe_files import open_file
from svcmetrics.io.settings import line_of
from svcmetrics.problems import Problem, StudyError

# Approval and ticket systems whose layout is known; each has its own file.
WORKFLOWS = ("dingtalk", "feishu", "wecom", "weaver", "servicenow", "jira")
LOGS = ("flat", "xes", *WORKFLOWS)
FORMATS = (*LOGS, "wjx", "qualtrics", "ratings")
AnswerKind = Literal["score", "choice", "ranking"]
_SHOWN_WORDS = 40
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Answer:
    """One column of a questionnaire: the item it answers, and about whom."""

    column: str
    item: str
    target: str = ""  # "" = the target stands in a column or is constant
    kind: AnswerKind = "score"
    text: str = ""


@dataclass(frozen=True)
class Mapping:
    """How one foreign layout becomes tables of a study.

    ``columns``: source column → canonical "table.column" names. ``values``: canonical name →
    {source word: canonical word}. ``constants``: canonical name → value for every row.
    ``timezone``: the zone of times that name none. ``day_first``: "day" or "month" for 01/02/2024.
    ``persons``: "name" turns person columns into keyed pseudonyms, "pseudonym" takes them as they are.
    """

    format: str = "flat"
    columns: Dictionary[str, tuple[str, ...]] = field(default_factory=dict)
    values: Dictionary[str, Dictionary[str, Any]] = field(default_factory=dict)
    constants: Dictionary[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    timezone: str = ""
    day_first: str = ""
    persons: str = "name"
    left_out: tuple[str, ...] = ()  # source columns that stay outside
    # Whether every time of the file was seen to name its zone; of one file, so it is not saved.
    all_zoned: bool = field(default=False, compare=False)

    def source(self, target: str) -> str | None:
        """The source column of a canonical one, if any."""
        return next((s for s, targets in self.columns.items() if target in targets), None)

    def constant(self, target: str, default: str = "") -> str:
        return str(self.constants.get(target, default))

    def but(self, **changes: Any) -> Mapping:
        """The same mapping with some members changed."""
        return dataclasses.replace(self, **changes)

    def describe(self, code: str | None = None) -> str:
        """The mapping in words, for somebody to confirm."""
        with lang.speaking(code or lang.language()):
            return "\n".join(_described(self, code))


def _described(mapping: Mapping, code: str | None) -> list[str]:
    def line(key: str, **values: Any) -> str:
        return lang.say(f"mapping.{key}", code, **values)

    out = [line("format", format=mapping.format, meaning=line(f"format_{mapping.format}"))]
    out += [line("columns")] if mapping.columns else []
    for source, targets in mapping.columns.items():
        meant = " + ".join(f"{target_name(t, code)} ({t})" for t in targets)
        out.append(f"  {source}  →  {meant}")
    for target, words in mapping.values.items():
        out.append(line("values", target=target_name(target, code)))
        out += [
            f"  {k}  →  {_word(target, v, code)}" for k, v in list(words.items())[:_SHOWN_WORDS]
        ]
        out += [f"  … {len(words) - _SHOWN_WORDS}"] if len(words) > _SHOWN_WORDS else []
    out += [
        line("constant", target=target_name(t, code), value=v) for t, v in mapping.constants.items()
    ]
    out += [line("answers", count=len(mapping.answers))] if mapping.answers else []
    out += [
        f"  {a.column}  →  {a.item}{f' · {a.target}' if a.target else ''}"
        for a in mapping.answers[:_SHOWN_WORDS]
    ]
    if mapping.all_zoned:
        out.append(line("all_zoned"))
    else:
        out.append(line("zone", zone=mapping.timezone) if mapping.timezone else line("no_zone"))
    out += [line(f"day_{mapping.day_first}")] if mapping.day_first else []
    out.append(line(f"persons_{mapping.persons}"))
    out += [line("left_out", columns=list(mapping.left_out))] if mapping.left_out else []
    return out


def target_name(target: str, code: str | None = None) -> str:
    """The reader's name of a canonical column."""
    table, _, column = target.partition(".")
    for key in (f"mapping.target.{target}", f"column.{table}.{column}", f"column.any.{column}"):
        if lang.has(key):
            return lang.say(key, code)
    return target


def _word(target: str, word: Any, code: str | None) -> str:
    key = f"word.{target.rpartition('.')[2]}.{word}"
    return f"{lang.say(key, code)} ({word})" if lang.has(key) else str(word)


def save_mapping(mapping: Mapping, path: str | Path) -> Path:
    """Write the mapping as TOML, whole or not at all."""
    import tomli_w

    from svcmetrics.io.whole import write_whole

    data: dict[str, Any] = {
        "format": mapping.format,
        "timezone": mapping.timezone,
        "day_first": mapping.day_first,
    }
    data |= {"persons": mapping.persons, "left_out": list(mapping.left_out)}
    data["columns"] = {s: t[0] if len(t) == 1 else list(t) for s, t in mapping.columns.items()}
    data["constants"] = dict(mapping.constants)
    data["values"] = {t: dict(words) for t, words in mapping.values.items()}
    data["answers"] = [dataclasses.asdict(a) for a in mapping.answers]
    path = Path(path)
    return write_whole(path, tomli_w.dumps(data).encode())


def load_mapping(path: str | Path) -> Mapping:
    """Read a mapping file; what cannot be understood is named."""
    path = Path(path)
    data = _toml(path)
    known = [f.name for f in dataclasses.fields(Mapping) if f.compare]
    if unknown := sorted(set(data) - set(known)):
        values = {"unknown": unknown[:8], "known": known}
        raise StudyError(Problem("mapping_unknown", values, file=path.name))
    try:
        columns = {
            str(s): (t,) if isinstance(t, str) else tuple(t)
            for s, t in data.pop("columns", {}).items()
        }
        answers = tuple(Answer(**a) for a in data.pop("answers", ()))
        data["values"] = {t: dict(words) for t, words in data.get("values", {}).items()}
        data["constants"] = dict(data.get("constants", {}))
        data["left_out"] = tuple(data.get("left_out", ()))
        mapping = Mapping(columns=columns, answers=answers, **data)
    except (TypeError, AttributeError, ValueError) as error:
        raise StudyError(Problem("mapping_unreadable", file=path.name)) from error
    return _checked(mapping, path.name)


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with open_file(path, _MAX_BYTES) as file:
            return tomllib.loads(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(Problem("settings_encoding", file=path.name)) from error
    except tomllib.TOMLDecodeError as error:
        problem = Problem("settings_syntax", file=path.name, rows=line_of(error))
        raise StudyError(problem) from error


def _checked(mapping: Mapping, file: str) -> Mapping:
    wrong = [
        (name, value, allowed)
        for name, value, allowed in (
            ("format", mapping.format, FORMATS),
            ("day_first", mapping.day_first, ("", "day", "month")),
            ("persons", mapping.persons, ("name", "pseudonym")),
        )
        if value not in allowed
    ]
    if wrong:
        name, value, allowed = wrong[0]
        values = {"name": name, "value": value, "allowed": [a for a in allowed if a]}
        raise StudyError(Problem("mapping_word", values, file=file))
    return mapping
