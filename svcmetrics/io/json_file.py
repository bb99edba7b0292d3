"""JSON of a workflow system: read whole or refused, ids as text, nothing nested without end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from svcmetrics.io.safe_files import file_problem, open_file
from svcmetrics.problems import StudyError

MAX_BYTES = 300_000_000
MAX_DEPTH = 64
ENDINGS = (".json", ".jsonl", ".ndjson")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# Where an answer of a web interface keeps what was asked for.
_WRAPPERS = (
    "data", "result", "info", "process_instance", "processInstance", "instance", "instances",
    "issues", "list", "items", "records", "values", "body", "response",
)  # fmt: skip


def is_json(path: Path) -> bool:
    """Whether the name says that this is a JSON file."""
    return path.name.lower().endswith(ENDINGS)


def read_json(path: str | Path, *, max_bytes: int = MAX_BYTES) -> list[Any]:
    """The documents of a file: one, or one per line. Numbers stay text: a float would bend an id."""
    path = Path(path)
    with open_file(path, max_bytes) as file:
        raw = file.read()
    if _depth(raw) > MAX_DEPTH:
        raise StudyError(file_problem("json_deep", path, limit=MAX_DEPTH))
    try:
        text = raw.decode(json.detect_encoding(raw)).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise StudyError(file_problem("json_encoding", path)) from error
    try:
        return [_loads(text)]
    except json.JSONDecodeError as error:
        by_line = error.msg.startswith("Extra data")
        if not by_line:
            raise StudyError(_broken(error, path, text)) from error
    except RecursionError as error:
        raise StudyError(file_problem("json_deep", path, limit=MAX_DEPTH)) from error
    return list(_lines(text, path))


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _lines(text: str, path: Path) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield _loads(line)
            except json.JSONDecodeError as error:
                raise StudyError(_broken(error, path, line, number)) from error


def _broken(error: json.JSONDecodeError, path: Path, text: str, line: int = 0) -> Any:
    """A file that stops in the middle has another remedy than one with a fault in it."""
    cut = error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()) - 1
    where = {"line": line or error.lineno, "column": error.colno}
    return file_problem("json_cut" if cut else "json_broken", path, **where)


def _depth(raw: bytes) -> int:
    """How deep lists and objects lie in one another, counted before anything is built."""
    signs = np.frombuffer(_STRING.sub(b"", raw), dtype=np.uint8)
    up, down = np.isin(signs, list(b"[{")), np.isin(signs, list(b"]}"))
    step = up.astype(np.int8) - down.astype(np.int8)
    return int(np.cumsum(step[step != 0], dtype=np.int64).max(initial=0))


def instances(
    documents: list[Any], is_one: Callable[[dict[str, Any]], bool]
) -> tuple[list[dict[str, Any]], int]:
    """The objects that are instances, in order, and how many others lay beside them.

    They are looked for in lists and in the wrappers that web interfaces put around an answer.
    """
    found: list[dict[str, Any]] = []
    others = 0
    waiting = list(reversed(documents))
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, dict) and is_one(item):
            found.append(item)
        else:
            inner = [item[w] for w in _WRAPPERS if w in item] if isinstance(item, dict) else []
            inner = [i for i in inner if isinstance(i, (list, dict))]
            waiting += reversed(inner)
            others += not inner
    return found, others


def text_of(item: Any, *keys: str) -> str | None:
    """The first of these entries that is there, as text; an empty one is none."""
    for key in keys:
        value = item.get(key) if isinstance(item, dict) else None
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def dicts_of(item: Any, *keys: str) -> list[dict[str, Any]]:
    """The objects in the list under the first of these keys that is there."""
    for key in keys:
        value = item.get(key) if isinstance(item, dict) else None
        if isinstance(value, list):
            return [v for v in value if isinstance(v, dict)]
    return []
