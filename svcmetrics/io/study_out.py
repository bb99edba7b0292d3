"""Writing a study: whole or not at all, the same bytes for the same study."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.settings import FILE, write_settings
from svcmetrics.io.table_cells import GUARDED, canonical
from svcmetrics.io.template import WORKBOOK, write_workbook
from svcmetrics.io.values import per_distinct
from svcmetrics.io.whole import sync
from svcmetrics.problems import OutputError, StudyError
from svcmetrics.study import Study
from svcmetrics.tables import TABLES

Form = Literal["csv", "parquet", "xlsx"]


def write_study(study: Study, directory: str | Path, *, form: Form = "csv") -> Path:
    """Write a study as a folder that ``read_study`` reads back exactly.

    ``directory``: where; it is replaced only when all is written, and only if it holds nothing
    but a study. ``form``: "csv" (UTF-8 with mark, for Excel), "parquet" (large) or "xlsx" (one
    workbook). Comes back: the folder. Two writings of one study are equal byte by byte.
    """
    target = Path(directory)
    if form not in ("csv", "parquet", "xlsx"):
        raise StudyError(file_problem("form_unknown", target, found=form))
    _refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise OutputError(file_problem("folder_locked", target)) from error
    try:
        _fill(draft, study, form)
        _replace(draft, target)
    except OSError as error:
        raise OutputError(file_problem("folder_locked", target)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _fill(folder: Path, study: Study, form: Form) -> None:
    tables = {n: _canonical(n, study) for n in TABLES if n in study.tables}
    (folder / FILE).write_text(write_settings(study.settings), "utf-8", newline="\n")
    if form == "xlsx":
        write_workbook(folder / WORKBOOK, tables, language=study.settings.language)
    for name, table in tables.items() if form != "xlsx" else ():
        if form == "csv":
            _text(name, table).to_csv(
                folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\n"
            )
        else:
            _to_parquet(table, folder / f"{name}.parquet")
    sync(folder)
    os.chmod(folder, 0o755)  # noqa: S103


def _canonical(name: str, study: Study) -> Any:
    table = study.tables[name]
    if not isinstance(table, pd.DataFrame):
        return table
    clean, problems = canonical(name, table, study.settings.timezone)
    errors = [p for p in problems if p.level == "error"]
    if errors:
        raise StudyError(errors)
    blank = [c.name for c in TABLES[name].columns if not c.required and clean[c.name].isna().all()]
    return clean.drop(columns=blank)


def _text(name: str, table: Any) -> pd.DataFrame:
    """Every cell as the text that the reader turns back into the same value."""
    table = table if isinstance(table, pd.DataFrame) else table.execute()
    return pd.DataFrame({c: cell_text(table[c], TABLES[name][c].kind) for c in table.columns})


def cell_text(values: pd.Series, kind: str) -> pd.Series:
    """A column as text: ISO times with their offset, shortest exact numbers, true and false."""
    if kind == "time":
        return per_distinct(values, lambda d: d.map(lambda v: v.isoformat()))
    if kind == "date":
        return values.dt.strftime("%Y-%m-%d")
    if kind == "bool":
        return values.map({True: "true", False: "false"})
    if kind == "float":
        return per_distinct(values, lambda d: d.map(lambda v: repr(float(v)).removesuffix(".0")))
    return guarded(values.astype("str"))


def as_csv(rows: pd.DataFrame) -> str:
    """Rows as they are, as the text of a CSV file in which no cell is a formula."""
    words = rows.select_dtypes(["object", "str", "category"])
    return rows.assign(**{str(c): guarded(words[c].astype("str")) for c in words}).to_csv(
        index=False, lineterminator="\n"
    )


def guarded(text: pd.Series) -> pd.Series:
    """Text with an apostrophe before what a spreadsheet would calculate."""
    return text.mask(text.str.match(GUARDED, na=False), "'" + text)


def _to_parquet(table: Any, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if isinstance(table, pd.DataFrame):
        pq.write_table(
            pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(), path
        )
    else:  # the engine streams: the log may be larger than memory
        table.to_parquet(path)


def _refuse_foreign(target: Path) -> None:
    """Only a study is replaced: a folder with anything else in it stays."""
    if not target.exists():
        return
    ours = {FILE, WORKBOOK, "checks.csv", *(f"{n}.{e}" for n in TABLES for e in ("csv", "parquet"))}
    try:
        others = (
            sorted(p.name for p in target.iterdir() if p.name not in ours)
            if target.is_dir()
            else [target.name]
        )
    except OSError as error:
        raise OutputError(file_problem("folder_locked", target)) from error
    if others:
        raise OutputError(file_problem("folder_not_empty", target, others=others[:8]))


def _replace(draft: Path, target: Path) -> None:
    """Put the finished folder in place; the old one is moved aside first and removed last."""
    if not target.exists():
        os.rename(draft, target)
        return
    aside = draft.with_name(f"{draft.name}-old")
    os.rename(target, aside)
    try:
        os.rename(draft, target)
    except OSError:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
