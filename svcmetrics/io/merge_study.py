"""Adding imported tables to a study: nothing twice, nothing half."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping as Dictionary
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io.quality import Tally
from svcmetrics.io.rating_store import STORE
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.settings import FILE, read_settings
from svcmetrics.io.study_files import read_study, write_study
from svcmetrics.io.study_out import Form
from svcmetrics.problems import OutputError, Problem, StudyError
from svcmetrics.study import Settings, Study
from svcmetrics.tables import TABLES

# Rows that describe something may be met again; rows that record something may not.
_DESCRIBING = ("unit", "service", "step", "item", "plan")
_SAME_PLAN = ["wave", "rater_key", "target_id", "service_id"]
_NOTHING_YET = {
    "tables_empty",
    "no_tables",
    "file_missing",
    "settings_missing",
    "table_no_rows",
    "settings_no_zone",
}
_CSV_ROWS = 300_000  # beyond, Excel cannot open it anyway
_BOOKS = (".xlsx", ".xlsm")


def open_study(path: Path, *, timezone: str) -> tuple[Study, bool]:
    """The study at a path and whether it was there; a new one gets the name of its folder."""
    fresh = Study(
        {}, Settings(name=path.stem or "study", timezone=timezone or Settings.timezone), path=path
    )
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return fresh, False
    try:
        return read_study(path), True
    except StudyError as error:
        errors = [p for p in error.problems if p.level == "error"] or list(error.problems)
        if any(p.key not in _NOTHING_YET for p in errors):
            raise
    toml = (path if path.is_dir() else path.parent) / FILE
    if not toml.exists():
        return fresh, False
    return Study({}, read_settings(toml)[0], path=path), True


def known_tables(study: Study) -> dict[str, pd.DataFrame]:
    """The tables of a study as frames."""
    return {n: t if isinstance(t, pd.DataFrame) else t.execute() for n, t in study.tables.items()}


def merged(
    known: Dictionary[str, pd.DataFrame], new: Dictionary[str, pd.DataFrame], tally: Tally
) -> dict[str, pd.DataFrame]:
    """The tables that change, complete; StudyError when rows are in the study already."""
    new = _with_known_plans(known, dict(new))
    problems: list[Problem] = []
    out: dict[str, pd.DataFrame] = {}
    for name, raw in new.items():
        table = raw[[c for c in TABLES[name].names if c in raw.columns]]
        key = [c for c in TABLES[name].key if c in table.columns]
        old = known.get(name)
        if old is None:
            out[name] = table
            continue
        there = _keys(table, key).isin(_keys(old, key))
        if there.any() and name not in _DESCRIBING:
            example = [str(v) for v in table.loc[[there.idxmax()], key].iloc[0].dropna()]
            problems.append(
                Problem(
                    "import_there_already",
                    {"rows": int(there.sum()), "of": len(table), "example": example},
                    table=name,
                    count=int(there.sum()),
                )
            )
        if there.any():
            tally.say("known_rows", table=name, count=int(there.sum()))
        if not there.all():
            out[name] = _joined(old, table[~there])
    if problems:
        raise StudyError(problems)
    return out


def _keys(table: pd.DataFrame, key: list[str]) -> pd.Series:
    parts = [
        table[c].astype("object").map(lambda v: "" if pd.isna(v) else str(v))
        if c in table
        else pd.Series("", table.index)
        for c in key
    ]
    return pd.Series(list(zip(*parts)), index=table.index, dtype=object)


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """New rows below the old ones, columns in canonical order; an all-missing column has no type to give."""
    filled = new.drop(columns=[c for c in new.columns if new[c].isna().all() and c in old.columns])
    filled = filled.astype(
        {
            c: old[c].dtype
            for c in filled.columns
            if c in old.columns and _castable(filled[c], old[c])
        }
    )
    return pd.concat([old, filled], ignore_index=True)


def _castable(new: pd.Series, old: pd.Series) -> bool:
    return (
        new.dtype != old.dtype
        and not (new.isna().any() and old.dtype.kind in "iub")
        and old.dtype != object
        and not old.isna().all()
    )


def _with_known_plans(
    known: Dictionary[str, pd.DataFrame], new: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """A rating that was planned in the study belongs to that plan row."""
    if "plan" not in known or "plan" not in new:
        return new
    same = dict(zip(_keys(known["plan"], _SAME_PLAN), known["plan"]["plan_id"]))
    ours = new["plan"]
    given = pd.Series(
        [same.get(k) for k in _keys(ours, _SAME_PLAN)], index=ours.index, dtype="object"
    )
    renamed = dict(zip(ours["plan_id"], given.where(given.notna(), ours["plan_id"])))
    out = dict(new, plan=ours.assign(plan_id=ours["plan_id"].map(renamed)))
    if "rating" in new:
        out["rating"] = new["rating"].assign(plan_id=new["rating"]["plan_id"].map(renamed))
    return out


def save_tables(
    study: Study, changed: Dictionary[str, pd.DataFrame], path: Path, *, exists: bool
) -> list[str]:
    """Write the changed tables where the study keeps them, all or none; the names of the files."""
    if not exists and not path.exists():
        write_study(study.with_tables(**changed), path, form=_form(changed))
        return sorted(p.name for p in path.iterdir())
    folder = path if path.is_dir() else path.parent
    draft = _draft(folder)
    try:
        moves = _written(study, changed, path, draft)
        if not (folder / FILE).exists():
            moves[FILE] = _settings_only(study, draft)
        _swap(moves, folder, draft / "old")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return sorted(moves)


def _form(tables: Dictionary[str, pd.DataFrame]) -> Any:
    return "csv" if max(len(t) for t in tables.values()) <= _CSV_ROWS else "parquet"


def _draft(folder: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".import-", dir=folder))
    except OSError as error:
        raise OutputError(file_problem("folder_locked", folder)) from error


def _written(
    study: Study, changed: Dictionary[str, pd.DataFrame], path: Path, draft: Path
) -> dict[str, Path]:
    """Finished drafts by the name of the file that each replaces."""
    moves: dict[str, Path] = {}
    books = {
        s.file for n, s in study.sources.items() if n in changed and s.file.lower().endswith(_BOOKS)
    }
    books |= {path.name} if path.is_file() else set()
    for book in sorted(books):
        inside = {n: study.tables[n] for n, s in study.sources.items() if s.file == book}
        inside |= {n: t for n, t in changed.items() if n in inside or path.is_file()}
        write_study(Study(inside, study.settings), draft / "book", form="xlsx")
        moves[book] = next((draft / "book").glob("*.xlsx"))
    for name, table in changed.items():
        file = study.sources[name].file if name in study.sources else ""
        if file in books or path.is_file():
            continue
        file = "" if file == STORE else file  # what was received stays there as it came in
        large = file.endswith(".parquet") or (not file and len(table) > _CSV_ROWS)
        form: Form = "parquet" if large else "csv"
        made = (
            write_study(Study({name: table}, study.settings), draft / name, form=form)
            / f"{name}.{form}"
        )
        moves[file or made.name] = made
    return moves


def _settings_only(study: Study, draft: Path) -> Path:
    from svcmetrics.io.settings import write_settings

    made = draft / FILE
    made.write_text(write_settings(study.settings), "utf-8", newline="\n")
    return made


def _swap(moves: Dictionary[str, Path], folder: Path, aside: Path) -> None:
    """Put all drafts in place; when one cannot be placed, everything is put back."""
    aside.mkdir()
    done: list[str] = []
    try:
        for name, made in moves.items():
            done.append(name)
            if (folder / name).exists():
                os.replace(folder / name, aside / name)
            os.replace(made, folder / name)
    except OSError as error:
        for name in done:
            if (aside / name).exists():
                os.replace(aside / name, folder / name)
            elif (folder / name).exists() and not moves[name].exists():
                (folder / name).unlink()
        raise OutputError(file_problem("folder_locked", folder)) from error
