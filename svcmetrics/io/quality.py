"""The data-quality log of an import: what came in, what was kept, what was left out and why.

Nothing is dropped in silence: rows in = rows kept + rows left out by rule.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics import lang
from svcmetrics.problems import Problem
from svcmetrics.result import Finding, Level

_ROWS_TOLD = 8


class Tally:
    """Counts what an importer does while it reads; ``report`` freezes it."""

    def __init__(self, source: str, rows_in: int = 0, problems: Iterable[Problem] = ()):
        self.source, self.rows_in = source, rows_in
        self.left_out: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.problems = list(problems)

    def leave_out(self, frame: pd.DataFrame, bad: Any, rule: str) -> pd.DataFrame:
        """The frame without the bad rows, which are counted under a rule with their row numbers."""
        bad = np.asarray(bad, dtype=bool)
        if not bad.any():
            return frame
        self.count(rule, int(bad.sum()), rows=frame.index[bad])
        return frame[~bad]

    def count(self, rule: str, number: int, *, rows: Iterable[Any] = (), **values: Any) -> None:
        """Rows that stay outside, by rule."""
        if number:
            self.left_out[rule] = self.left_out.get(rule, 0) + number
            where = row_list(rows)
            self.findings.append(
                Finding(
                    f"import.left_{rule}", {"count": number, "rows": where, **values}, "warning"
                )
            )

    def say(self, key: str, level: Level = "note", **values: Any) -> None:
        """Anything else a reader must know."""
        self.findings.append(Finding(f"import.{key}", values, level))

    def has(self, key: str) -> bool:
        """Whether this was said already."""
        return any(f.key == f"import.{key}" for f in self.findings)

    def unsay(self, key: str) -> None:
        """Take back what turned out not to matter."""
        self.findings = [f for f in self.findings if f.key != f"import.{key}"]

    def report(
        self,
        layout: str,
        added: Mapping[str, int],
        files: Iterable[str],
        about: Mapping[str, Any],
    ) -> ImportReport:
        """What was done, for good."""
        return ImportReport(
            self.source,
            layout,
            self.rows_in,
            dict(self.left_out),
            added,
            tuple(self.findings),
            tuple(self.problems),
            tuple(files),
            about,
        )


def row_list(rows: Iterable[Any]) -> str:
    """The first row numbers as text; "…" when there are more."""
    shown = [str(r) for _, r in zip(range(_ROWS_TOLD + 1), rows)]
    return ", ".join(shown[:_ROWS_TOLD]) + (" …" if len(shown) > _ROWS_TOLD else "")


@dataclass(frozen=True)
class ImportReport:
    """What an import did. ``say``, ``text``, ``table`` and ``findings`` as with a Result."""

    source: str
    format: str
    rows_in: int
    left_out: Mapping[str, int]
    tables: Mapping[str, int]  # rows added per table
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()  # what the file reader warned about
    files: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows_kept(self) -> int:
        """Source rows that became rows of the study."""
        return self.rows_in - sum(self.left_out.values())

    @property
    def table(self) -> pd.DataFrame:
        """One row per rule: what, name, rows."""
        rows = [("rows_in", "", self.rows_in), ("rows_kept", "", self.rows_kept)]
        rows += [("left_out", rule, number) for rule, number in self.left_out.items()]
        rows += [("added", name, number) for name, number in self.tables.items()]
        return pd.DataFrame(rows, columns=["what", "name", "rows"])

    @property
    def text(self) -> str:
        """The log in the current language."""
        return self.say()

    def say(self, code: str | None = None) -> str:
        """The log in the given language ("zh" or "en"), the main thing first."""
        with lang.speaking(code or lang.language()):
            return "\n".join(line for _, line in self._lines(code))

    def _lines(self, code: str | None) -> list[tuple[str, str]]:
        head = {"file": self.source, "rows": self.rows_in, "kept": self.rows_kept}
        out = [("note", lang.say("import.head", code, **head))]
        added = [
            f"{lang.say(f'table.{k}', code)} {v}" if lang.has(f"table.{k}") else f"{k} {v}"
            for k, v in self.tables.items()
        ]
        out.append(("note", lang.say("import.added", code, tables=", ".join(added))))
        out += [(f.level, _marked(f, code)) for f in self.findings]
        out += [("warning", "⚠ " + p.say(code)) for p in self.problems]
        if self.files:
            out.append(("note", lang.say("import.files", code, files=", ".join(self.files))))
        return out

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        body = "".join(
            f'<p class="svc-{level}">{html.escape(line)}</p>' for level, line in self._lines(None)
        )
        return f'<div class="svc-result">{body}</div>'


def _marked(finding: Finding, code: str | None) -> str:
    return ("⚠ " if finding.level == "warning" else "· ") + finding.say(code)
