"""Pseudonyms on the way in, small groups hidden on the way out.

A pseudonym is a keyed hash (HMAC-SHA-256): nobody without the key can guess or link it. The key
lies outside the study. ``publish`` is the one door out: exporters take nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.problems import Problem, StudyError, table_error
from svcmetrics.result import Finding, Result
from svcmetrics.study import MIN_RATERS

# 96 bits: two of a billion persons share a pseudonym with probability below 1e-11.
_DIGITS = 24
# Blanks of sentences that list persons by their pseudonyms.
_PERSONS = ("raters", "judges", "actors")


@dataclass(frozen=True)
class Published:
    """A table and its reading that may leave the analyst's desk; only ``publish`` makes one."""

    name: str
    _table: pd.DataFrame
    findings: tuple[Finding, ...]
    drawing: str
    hidden: int
    min_n: int

    @property
    def table(self) -> pd.DataFrame:
        return self._table.copy(deep=True)

    def say(self, code: str | None = None) -> str:
        """The reading, without the sentences that name a hidden group."""
        return "\n".join(f.say(code) for f in self.findings)


def publish(
    result: Result | pd.DataFrame, *, min_n: int = MIN_RATERS, count: str = "n"
) -> Published:
    """Hide every row that rests on fewer than ``min_n`` persons; the only maker of what exporters take.

    ``count`` names the column with the number of persons behind a row (raters, not ratings). A row
    whose count is missing is hidden: not knowing is not enough. ``min_n`` cannot go below five.
    """
    table = result.table if isinstance(result, Result) else result.copy(deep=True)
    if min_n < MIN_RATERS:
        raise table_error("group_size_lowered", found=min_n, floor=MIN_RATERS)
    if count not in table.columns:
        raise table_error(
            "missing_columns", missing=[count], present=[str(c) for c in table.columns]
        )
    small = ~(pd.to_numeric(table[count], errors="coerce") >= min_n).to_numpy()
    kept = {*_groups(table), "metric", "variant"}
    for column in [c for c in table.columns if c not in kept]:
        # Everything goes, not only the estimate: "n = 2" or "1 of 2 late" tells who was there.
        table[column] = _blanked(table[column], small)
    table["shown"] = ~small
    if not isinstance(result, Result):
        return Published("", table, (), "", int(small.sum()), min_n)
    told = tuple(f for f in result.findings if not _tells_of(f, table[small]))
    name = str(result.about["metric"])
    return Published(name, table, told, result._drawing, int(small.sum()), min_n)


def _groups(table: pd.DataFrame) -> list[str]:
    """The columns that name a row: those before "metric", or the first one."""
    columns = list(table.columns)
    return columns[: columns.index("metric")] if "metric" in columns else columns[:1]


def _blanked(values: pd.Series, small: np.ndarray) -> pd.Series:
    if not small.any():
        return values
    numeric = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    return (values.astype("float64") if numeric else values.astype("object")).mask(small)


def _tells_of(finding: Finding, hidden: pd.DataFrame) -> bool:
    """Whether a sentence names a group whose row is hidden, or lists persons (for the analyst only)."""
    if any(isinstance(finding.values.get(k), (list, tuple)) for k in _PERSONS):
        return True
    names = {str(v) for c in _groups(hidden) for v in hidden[c]}
    said: set[str] = set()
    for value in finding.values.values():
        said |= {str(v) for v in value} if isinstance(value, (list, tuple, set)) else {str(value)}
    return bool(names & said)


def pseudonymise(names: pd.Series, key: bytes) -> pd.Series:
    """Names or personnel numbers as keyed pseudonyms; missing stays missing."""
    distinct = names.dropna().astype(str).unique()
    known = {name: pseudonym(name, key) for name in distinct}
    out = names.astype("object").map(lambda v: None if pd.isna(v) else known[str(v)])
    return out.astype("str")


def pseudonym(name: str, key: bytes) -> str:
    """The pseudonym of one person: "p" and 24 hexadecimal digits."""
    return "p" + hmac.new(key, name.strip().encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def load_key(study: str, directory: Path | None = None) -> bytes:
    """The secret key of a study, made on first use, outside the study's folder.

    It lies in ``$SVCMETRICS_KEYS`` or ``~/.svcmetrics/keys``, readable by its owner only. Who loses
    it cannot link new imports with old ones; who shares it makes the pseudonyms guessable.
    """
    folder = directory or Path(
        os.environ.get("SVCMETRICS_KEYS") or Path.home() / ".svcmetrics" / "keys"
    )
    path = folder / f"{hashlib.sha256(study.encode()).hexdigest()[:16]}.key"
    try:
        if path.exists():
            return bytes.fromhex(path.read_text("ascii").strip())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.hex())
    except (OSError, ValueError) as error:
        raise StudyError(Problem("key_unusable", {"reason": str(error)}, file=path.name)) from error
    return key
