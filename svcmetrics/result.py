"""What every statistic returns: a table, its reading in two languages, and how it was made."""

from __future__ import annotations

import copy
import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from svcmetrics import lang

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Level = Literal["note", "warning", "refused"]

# The last columns of every result, in this order; grouping columns stand before them.
ESTIMATE_COLUMNS = ("metric", "variant", "estimate", "low", "high", "n")


@dataclass(frozen=True)
class Finding:
    """What was found, as data: a key of the language files and the values of its blanks.

    ``level``: "note" is a reading, "warning" must be seen before the number is used,
    "refused" says why there is no number.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    level: Level = "note"

    def __post_init__(self) -> None:
        if self.level not in get_args(Level):
            raise ValueError(f"{self.level!r} is no level of a finding: {get_args(Level)}")

    def say(self, code: str | None = None) -> str:
        """The finding as a sentence."""
        return lang.say(self.key, code, **self.values)


class Result:
    """One statistic: ``table``, ``text``, ``say``, ``findings``, ``about``, ``plot`` and its HTML.

    Immutable: what goes in and what comes out are copies, so that no caller can change
    what another one reads.
    """

    __slots__ = ("_about", "_drawing", "_findings", "_name", "_table")
    _about: dict[str, Any]
    _drawing: str
    _findings: tuple[Finding, ...]
    _name: str
    _table: pd.DataFrame

    def __init__(
        self,
        name: str,
        table: pd.DataFrame,
        findings: Iterable[Finding] = (),
        about: Mapping[str, Any] | None = None,
        *,
        drawing: str = "",
    ):
        missing = [c for c in ESTIMATE_COLUMNS if c not in table.columns]
        if missing:
            raise ValueError(
                f"the table of {name!r} lacks the columns {missing}; build it with estimates()"
            )
        put = object.__setattr__
        put(self, "_name", name)
        put(self, "_table", table.reset_index(drop=True).copy(deep=True))
        put(self, "_findings", tuple(findings))
        put(self, "_about", copy.deepcopy({"metric": name, **(about or {})}))
        put(self, "_drawing", drawing)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            "结果不可修改：请取 .table 的副本 / a result cannot be changed: work on a copy of .table"
        )

    __delattr__ = __setattr__  # type: ignore[assignment]

    @property
    def table(self) -> pd.DataFrame:
        """The estimates at full precision, one row each; your own copy."""
        return self._table.copy(deep=True)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The reading as data."""
        return self._findings

    @property
    def about(self) -> dict[str, Any]:
        """Rows used and dropped and why, method, reference, version, seed; your own copy."""
        return copy.deepcopy(self._about)

    @property
    def text(self) -> str:
        """The reading in the current language."""
        return self.say()

    def say(self, code: str | None = None) -> str:
        """The reading in the given language ("zh" or "en")."""
        return "\n".join(f.say(code) for f in self._findings)

    def also(self, more: Iterable[Finding]) -> Result:
        """The same result, saying more."""
        findings = [*self._findings, *more]
        return Result(self._name, self._table, findings, self._about, drawing=self._drawing)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the result; loads matplotlib only now."""
        from svcmetrics import plots

        return plots.draw(self._drawing or "intervals", self._table, ax, about=self._about)

    def __repr__(self) -> str:
        from svcmetrics.display import shown

        return f"{self.text}\n\n{shown(self._table).to_string(index=False)}"

    def _repr_html_(self) -> str:
        from svcmetrics.display import table_html

        reading = "".join(
            f'<p class="svc-{f.level}">{html.escape(f.say())}</p>' for f in self._findings
        )
        return f'<div class="svc-result">{reading}{table_html(self._table)}</div>'


def estimates(
    metric: str, *, groups: Mapping[str, Any] | None = None, **columns: Any
) -> pd.DataFrame:
    """The long table of a result: grouping columns, then metric, variant, estimate, low, high, n.

    ``columns`` may be scalars or equally long sequences; further columns follow the last ones.
    What is not given is missing.
    """
    data = {**(groups or {}), "metric": metric}
    for name in ESTIMATE_COLUMNS[1:]:
        data[name] = columns.pop(name, "" if name == "variant" else float("nan"))
    data |= columns
    length = max((len(v) for v in data.values() if _is_sequence(v)), default=1)
    return pd.DataFrame({k: _column(k, v, length) for k, v in data.items()})


def _column(name: str, value: Any, length: int) -> Any:
    """Numbers stay as they lie in memory; all else as a list, so that an index plays no part."""
    values = value if _is_sequence(value) else [value] * length
    if name in ("estimate", "low", "high"):
        return np.array(values, dtype=np.float64)
    plain = isinstance(values, np.ndarray) and values.dtype in (np.float64, np.int64)
    return values.copy() if plain else list(values)


def _is_sequence(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)
