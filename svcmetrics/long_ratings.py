"""One row per answer, with who rated whom, on what, and how: the frame that statistics start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from svcmetrics.tables import INLINE_PLAN

if TYPE_CHECKING:
    from svcmetrics.study import Study

COLUMNS = (
    *INLINE_PLAN, "item_id", "dimension", "aspect",
    "score", "raw_score", "seconds", "submitted_at", "plan_id", "form",
)  # fmt: skip


def long_ratings(study: Study) -> pd.DataFrame:
    """Who rated whom on which item with which score? Ratings, plan and items as one long frame.

    ``study``: needs the table ``rating``; ``plan``, ``item``, ``event`` and ``service`` are joined
    where they are there. A lite study, whose ratings carry rater and target themselves, gives the
    same columns.

    Comes back: one row per row of ``rating``, in its order, with the columns wave, rater_key,
    rater_unit_id, rater_role, target_id, service_id, mode, item_id, dimension, aspect, score,
    raw_score, seconds, submitted_at, plan_id, form (the plan_id, else one per rater, department,
    wave and case). In ``score`` reversed items are turned round, so that more is better;
    ``raw_score`` is what was ticked. Without the table ``item`` each item is its own dimension and
    no item is taken as reversed.

    Misleads: an answer whose item has different scales in different forms, and whose form is not
    known, has no ``score`` (its ``raw_score`` stays). Answers without a score stay as rows.
    Source: the tables of a study, ``svcmetrics.tables``.

    >>> from svcmetrics.study import Study
    >>> rating = pd.DataFrame({"rater_key": ["p1"], "target_id": ["HR"], "item_id": ["q1"], "score": [4.0]})
    >>> long_ratings(Study({"rating": rating}))[["target_id", "dimension", "score"]].to_dict("records")
    [{'target_id': 'HR', 'dimension': 'q1', 'score': 4.0}]
    """
    rating = study.rating.reset_index(drop=True)
    out = pd.DataFrame({c: _column(rating, c) for c in (*INLINE_PLAN, "item_id", "plan_id")})
    plan = _table(study, "plan", "plan_id")
    if plan is not None:
        _from_plan(out, plan)
    if "case_id" in rating.columns:
        _from_case(out, rating["case_id"], study)
    out["raw_score"] = pd.to_numeric(_column(rating, "score"), errors="coerce").astype("float64")
    out["seconds"] = pd.to_numeric(_column(rating, "seconds"), errors="coerce").astype("float64")
    out["submitted_at"] = rating["submitted_at"] if "submitted_at" in rating.columns else pd.NaT
    _from_items(out, rating, plan, _table(study, "item", "form_version", "item_id"))
    out["form"] = out["plan_id"]
    unplanned = out["plan_id"].isna()
    if unplanned.any():
        own = _own_form(out[unplanned], _column(rating, "case_id")[unplanned])
        out["form"] = out["form"].fillna(own)
    return out[list(COLUMNS)]


def _own_form(out: pd.DataFrame, case: pd.Series) -> pd.Series:
    """The form of a rating without a plan: what one rater says of one department, in one wave or case."""
    parts = [out["wave"], out["rater_key"], out["target_id"], case]
    text = [p.astype("str").fillna("") for p in parts]
    return text[0] + "·" + text[1] + "·" + text[2] + "·" + text[3]


def item_rows(rating: pd.DataFrame, plan: pd.DataFrame | None, item: pd.DataFrame) -> np.ndarray:
    """For each rating the position of its item in the table ``item``; -1 when it has none.

    The form comes from the plan. Where the form is not known, an item counts if it is the same in
    all forms.
    """
    facts = [c for c in ("dimension", "aspect", "min", "max", "reversed") if c in item.columns]
    item = item.reset_index(drop=True)
    distinct = item.drop_duplicates(["item_id", *facts])
    clear = distinct[~distinct["item_id"].duplicated(keep=False)]
    found = _positions(clear["item_id"], rating["item_id"])
    rows = np.where(found >= 0, clear.index.to_numpy()[found] if len(clear) else -1, -1)
    if plan is None or "form_version" not in plan.columns or "plan_id" not in rating.columns:
        return rows
    planned = plan.drop_duplicates("plan_id")
    at = _positions(planned["plan_id"], rating["plan_id"])
    # Every pair of form and item has its cell: a table of a few forms by some dozens of items.
    forms, ids = item["form_version"].dropna().unique(), item["item_id"].dropna().unique()
    cells = np.full((len(forms) + 1, len(ids) + 1), -1)
    first = item.dropna(subset=["form_version", "item_id"]).drop_duplicates(
        ["form_version", "item_id"]
    )
    places = _positions(forms, first["form_version"]), _positions(ids, first["item_id"])
    cells[places] = first.index.to_numpy()
    form = np.append(_positions(forms, planned["form_version"]), -1)[at]
    known = np.append(planned["form_version"].notna().to_numpy(dtype=bool), False)[at]
    by_form = cells[form, _positions(ids, rating["item_id"])]
    return np.where(known, by_form, rows)


def _positions(known: Any, wanted: pd.Series) -> np.ndarray:
    """For each wanted id its position among the known ones, which are distinct; -1 for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    of, ids = (
        pa.array(pd.Series(v).astype("str"), type=pa.large_string()) for v in (known, wanted)
    )
    found = pc.index_in(ids, value_set=of, skip_nulls=True)
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype="int64")


def _from_plan(out: pd.DataFrame, plan: pd.DataFrame) -> None:
    """What the plan row says comes first; what the rating itself says fills the gaps."""
    rows = plan.drop_duplicates("plan_id")
    at = _positions(rows["plan_id"], out["plan_id"])
    for column in INLINE_PLAN:
        if column in rows.columns:
            planned = rows[column].astype("str").array.take(at, allow_fill=True)
            out[column] = pd.Series(planned, index=out.index).fillna(out[column])


def _from_case(out: pd.DataFrame, case: pd.Series, study: Study) -> None:
    """A rating of a case is a rating of its service and of the unit that provides it."""
    if "event" in study.tables:
        services = case.map(_case_services(study.tables["event"], case)).astype("str")
        out["service_id"] = out["service_id"].fillna(services)
    service = _table(study, "service", "service_id", "provider_id")
    if service is not None:
        providers = service.drop_duplicates("service_id").set_index("service_id")["provider_id"]
        by_case = case.notna() & out["target_id"].isna()
        targets = out["service_id"].map(providers).astype("str")
        out["target_id"] = out["target_id"].mask(by_case, targets)


def _case_services(event: Any, case: pd.Series) -> pd.Series:
    wanted = case.dropna().unique()
    if isinstance(event, pd.DataFrame):
        rows = event.loc[event["case_id"].isin(wanted), ["case_id", "service_id"]]
    else:  # the log stays in the engine: only its answer comes here
        rows = event.select("case_id", "service_id").distinct().execute()
        rows = rows[rows["case_id"].isin(wanted)]
    return rows.drop_duplicates("case_id").set_index("case_id")["service_id"]


def _from_items(
    out: pd.DataFrame, rating: pd.DataFrame, plan: pd.DataFrame | None, item: pd.DataFrame | None
) -> None:
    out["score"] = out["raw_score"]
    if item is None:
        out["dimension"] = out["item_id"]
        out["aspect"] = _column(out, "aspect")
        return
    rows = item_rows(rating, plan, item)
    of = item.reset_index(drop=True).reindex(rows).reset_index(drop=True)
    for column in ("dimension", "aspect"):
        out[column] = _column(of, column)
    if "reversed" in of.columns:
        turned = of["reversed"].astype("boolean").to_numpy(dtype=bool, na_value=False)
        out["score"] = out["score"].mask(turned, of["min"] + of["max"] - out["raw_score"])
    unclear = (rows < 0) & out["item_id"].isin(item["item_id"]).to_numpy(dtype=bool)
    out["score"] = out["score"].mask(unclear)


def _table(study: Study, name: str, *columns: str) -> pd.DataFrame | None:
    table = study.tables.get(name)
    return table if isinstance(table, pd.DataFrame) and set(columns) <= set(table.columns) else None


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name in table.columns:
        values: pd.Series = table[name]
        return values
    return pd.Series(np.nan, index=table.index, dtype="str", name=name)
