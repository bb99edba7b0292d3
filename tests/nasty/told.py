"""What a user is told: a result, warnings with counts, or a refusal; anything else is obscure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from svcmetrics.problems import InputError
from svcmetrics.result import Finding, Result

# What no sentence may contain: numbers that are none, and the program's own words.
_OBSCURE = re.compile(r"\b(nan|inf|None|NaN|NaT|Traceback|Error)\b|\{|\}")


@dataclass(frozen=True)
class Told:
    """One call: its result or error, the keys of what was said, and the sentences."""

    result: Any = None
    error: InputError | None = None
    findings: tuple[Finding, ...] = ()
    keys: frozenset[str] = frozenset()
    text: str = field(default="", repr=False)

    def value(self, key: str, name: str) -> Any:
        """A value in the blanks of a finding or problem."""
        said = (*self.findings, *(self.error.problems if self.error else ()))
        return next(s.values[name] for s in said if s.key == key)

    def count(self, key: str) -> int:
        """How many rows a problem names."""
        return next(p.count for p in self.error.problems if p.key == key)

    def estimate(self, metric: str, variant: str) -> float:
        """One estimate; variants such as "ICC(2,1) = ICC(A,1)" go by either name."""
        table = self.result.table
        names = table["variant"].str.split(" = ")
        mine = (table["metric"] == metric) & names.map(lambda n: variant in n)
        return float(table.loc[mine, "estimate"].iloc[0])

    @property
    def refused(self) -> bool:
        """No number came out, and a reason did."""
        if self.error is not None:
            return True
        shown = self.result.table.query("variant != 'raw_agreement'")["estimate"]
        reason = any(f.level == "refused" for f in self.findings)
        return reason and not np.isfinite(shown).any()


def ask(function: Callable[..., Result], *data: Any, **arguments: Any) -> Told:
    """Call a public function; only errors made for users are caught."""
    try:
        result = function(*data, **arguments)
    except InputError as error:
        said = [error.say(code) for code in ("zh", "en")]
        told = Told(None, error, (), frozenset(p.key for p in error.problems), "\n".join(said))
        assert not _OBSCURE.search(told.text.replace("“inf”", "").replace('"inf"', "")), told.text
        return told
    findings = tuple(getattr(result, "findings", ()))
    text = "\n".join(f.say(code) for f in findings for code in ("zh", "en"))
    assert not _OBSCURE.search(text), text
    return Told(result, None, findings, frozenset(f.key for f in findings), text)
