"""XES event logs (.xes, .xes.gz): streamed, without entities, without network, whole or refused.

A log becomes one row per event. Event attributes keep their key; trace attributes get "case:" in
front, as in other tools. Defaults of ``<global>`` are placeholders ("name", "resource") in the logs
that tools write, so they are not used to fill what is missing.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pandas as pd

from svcmetrics.io.safe_files import file_problem, open_file
from svcmetrics.problems import Problem, StudyError

MAX_FILE_BYTES = 2_000_000_000
# Real logs shrink 20 to 60 times; a bomb shrinks 1,000 times.
MAX_RATIO = 200
_RATIO_MATTERS_FROM = 30_000_000
_PROLOG = 65_536
_ATTRIBUTES = {"string", "date", "int", "float", "boolean", "id"}
CASE = "case:"


@dataclass
class XesLog:
    """The events of a log as text, and what a reader must be told about the file."""

    events: pd.DataFrame
    cases: int = 0
    empty_traces: int = 0
    traces_without_id: int = 0
    repeated_keys: int = 0
    repeated_names: tuple[str, ...] = ()
    extensions: tuple[str, ...] = field(default=())


def is_xes(path: Path) -> bool:
    """Whether the name says that this is an XES file."""
    return path.name.lower().endswith((".xes", ".xes.gz"))


def read_xes(path: str | Path, *, max_bytes: int = MAX_FILE_BYTES) -> XesLog:
    """Every event of an XES file; StudyError for what is damaged, cut off or dangerous.

    ``max_bytes`` caps the size after unpacking. A file with a DOCTYPE is refused: no event log
    needs one, and it is the way to read other files or to fill the memory.
    """
    path = Path(path)
    with open_file(path, max_bytes) as raw:
        stream = _Capped(_unpacked(raw), path, max_bytes)
        _inspect_prolog(stream.peek(_PROLOG), path)
        reader = _Reader(path)
        reader.read(stream)
    return reader.log()


def _unpacked(raw: IO[bytes]) -> Any:
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if packed else raw


class _Capped:
    """A stream that stops at a byte cap and at a ratio no honest log reaches."""

    def __init__(self, stream: IO[bytes], path: Path, limit: int):
        self._stream, self._path, self._limit = stream, path, limit
        self._packed = path.stat().st_size
        self._total, self._head, self._tail = 0, b"", b""

    def peek(self, size: int) -> bytes:
        self._head = self._take(size)
        return self._head

    def read(self, size: int = 65_536) -> bytes:
        if self._head:
            out, self._head = self._head[:size], self._head[size:]
            return out
        return self._take(size)

    def ends_with(self, end: bytes) -> bool:
        """Whether the file, read to its end, closes as it should."""
        while self._take(1_000_000):
            pass
        return self._tail.replace(b"\0", b"").rstrip().endswith(end)

    def _take(self, size: int) -> bytes:
        try:
            out = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise StudyError(file_problem("file_damaged", self._path)) from error
        self._total += len(out)
        self._tail = (self._tail + out[-64:])[-64:]
        swollen = self._total > _RATIO_MATTERS_FROM and self._total > MAX_RATIO * self._packed
        if swollen or self._total > self._limit:
            raise StudyError(file_problem("zip_bomb", self._path, found=round(self._total / 1e6)))
        return out


def _inspect_prolog(head: bytes, path: Path) -> None:
    """Refuse what is not XML, is a web page, or declares a document type."""
    plain = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    lower = plain[:4096].lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        raise StudyError(file_problem("xes_html", path))
    if b"<!doctype" in plain.lower():
        raise StudyError(file_problem("xes_doctype", path))
    if not re.search(rb"<([A-Za-z]+:)?log[\s>/]", plain):
        raise StudyError(file_problem("xes_not_a_log", path))


class _Reader:
    """Collects columns while the parser runs; memory holds the result and one trace."""

    def __init__(self, path: Path):
        self.path = path
        self.columns: dict[str, list[Any]] = {}
        self.rows = self.cases = self.empty = self.nameless = self.repeated = 0
        self.names: dict[str, None] = {}
        self.kinds: dict[str, str] = {}
        self.last_case = ""

    def read(self, stream: _Capped) -> None:
        from lxml import etree

        traces = etree.iterparse(
            stream, events=("end",), tag="{*}trace", resolve_entities=False, load_dtd=False,
            no_network=True, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        try:
            for _, trace in traces:
                self._take(trace)
                trace.clear()
                while trace.getprevious() is not None:
                    del trace.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise StudyError(self._broken(error, stream)) from error

    def _take(self, trace: Any) -> None:
        if not self.cases and trace.getroottree().docinfo.internalDTD is not None:
            raise StudyError(file_problem("xes_doctype", self.path))
        case: dict[str, str] = {}
        events = []
        for child in trace:
            kind = self._kind(child.tag)
            if kind == "event":
                events.append(child)
            elif kind:
                self._put(case, CASE + child.get("key", ""), child.get("value"))
        self.cases += 1
        self.empty += not events
        self.nameless += CASE + "concept:name" not in case
        self.last_case = case.get(CASE + "concept:name", "")
        for event in events:
            row = dict(case)
            for child in event:
                if self._kind(child.tag):
                    self._put(row, child.get("key", ""), child.get("value"))
            self._append(row)

    def _kind(self, tag: str) -> str:
        """ "event", "attribute" or "" for anything else, whatever the namespace."""
        kind = self.kinds.get(tag)
        if kind is None:
            name = tag.rpartition("}")[2]
            kind = self.kinds[tag] = (
                "attribute" if name in _ATTRIBUTES else name if name == "event" else ""
            )
        return kind

    def _put(self, row: dict[str, str], key: str, value: str | None) -> None:
        """The first of two equal keys stays; the second is counted, never taken in silence."""
        if value is None or not key:
            return
        if key in row:
            self.repeated += 1
            self.names[key] = None
        else:
            row[key] = value

    def _append(self, row: dict[str, str]) -> None:
        for key, value in row.items():
            column = self.columns.get(key)
            if column is None:
                column = self.columns[key] = []
            if len(column) < self.rows:
                column.extend([None] * (self.rows - len(column)))
            column.append(value)
        self.rows += 1

    def _broken(self, error: Any, stream: _Capped) -> Problem:
        text = str(error)
        where = {"line": getattr(error, "lineno", 0) or 0, "case": self.last_case or "—"}
        if "encod" in text.lower() or "not proper UTF-8" in text:
            return file_problem("xes_encoding", self.path, **where)
        if "limit exceeded" in text or "Excessive" in text:
            return file_problem("xes_too_large", self.path, **where)
        if stream.ends_with(b"</log>"):
            return file_problem("xes_broken", self.path, **where)
        return file_problem("xes_cut" if self.last_case else "xes_cut_early", self.path, **where)

    def log(self) -> XesLog:
        for column in self.columns.values():
            column.extend([None] * (self.rows - len(column)))
        events = pd.DataFrame({k: pd.Series(v, dtype="str") for k, v in self.columns.items()})
        events.index = pd.RangeIndex(1, self.rows + 1)
        return XesLog(
            events, self.cases, self.empty, self.nameless, self.repeated, tuple(self.names)
        )
