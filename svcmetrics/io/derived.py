"""Units and services that a foreign file only mentions: rows with stated defaults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally

UNKNOWN_UNIT = "unit_unknown"
_UNKNOWN_NAMES = {"name_zh": "未注明部门", "name_en": "Unit not stated"}
CONFIRM = "导入时的默认值，请确认 / default of the import, please confirm"


def names_of(ids: pd.Series) -> pd.DataFrame:
    """Ids as names, in the column of the language that they are written in."""
    chinese = ids.str.contains(r"[\u4e00-\u9fff]", regex=True)
    return pd.DataFrame({"name_zh": ids.where(chinese), "name_en": ids.where(~chinese)})


def unit_table(
    ids: pd.Series, *, service_unit: Any, parent: pd.Series | None = None
) -> pd.DataFrame:
    """A unit table of ids; the unknown unit gets its names."""
    ids = ids.reset_index(drop=True)
    table = pd.concat([ids.rename("unit_id"), names_of(ids)], axis=1)
    for column, name in _UNKNOWN_NAMES.items():
        table.loc[(ids == UNKNOWN_UNIT).to_numpy(), column] = name
    table["parent_id"] = pd.Series(
        parent.to_numpy() if parent is not None else None, index=table.index, dtype="str"
    )
    table["is_service_unit"] = np.asarray(service_unit, dtype=bool)
    return table


def service_table(
    ids: pd.Series, providers: pd.Series, mapping: Mapping, tally: Tally
) -> pd.DataFrame:
    """A service table with stated defaults for what a foreign file cannot know."""
    table = pd.concat([ids.rename("service_id"), names_of(ids)], axis=1)
    table["provider_id"] = providers.to_numpy()
    defaults = {"output_kind": "service", "routine": "routine", "scope_reason": CONFIRM}
    for column, value in defaults.items():
        table[column] = mapping.constant(f"service.{column}", value)
    table["in_scope"] = mapping.constant("service.in_scope", "true").lower() in ("true", "1", "是")
    assumed = [c for c in ("provider_id", *defaults) if not mapping.constant(f"service.{c}")]
    if assumed:
        tally.say(
            "assumed_service",
            "warning",
            services=list(ids[:10]),
            columns=assumed,
            providers=sorted(set(providers))[:10],
        )
    return table
