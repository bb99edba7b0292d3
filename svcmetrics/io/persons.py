"""What a study holds about one person: the rows of its tables, and every file in which a name is left."""

from __future__ import annotations

import gzip
import html
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io.rating_store import STORE
from svcmetrics.privacy.pseudonyms import keys_folder, load_key, pseudonym, stem
from svcmetrics.problems import OutputError
from svcmetrics.study import Study

# Where the tables say who did something.
PERSONS = {
    "plan": "rater_key", "rating": "rater_key", "event": "actor_key",
    "judgement": "judge_key", "relevance": "judge_key",
}  # fmt: skip
# Where people write what they like, and may name others.
_FREE = {
    "rating": ("reason", "na_reason"), "commitment": ("reason",), "event": ("reason_code",),
    "service": ("scope_reason",),
}  # fmt: skip
_BLOCK = 1 << 24
# A shorter word turns up in compressed bytes by chance.
_LONG_ENOUGH = 6
_ZIPS = (".xlsx", ".xlsm", ".zip", ".docx", ".pptx")


def called(study_name: str, who: str) -> tuple[str, ...]:
    """What a person is called in a study: as given, and the pseudonym that the study's key makes of it.

    ``who``: a name or employee number as it stood in the imported file, or a pseudonym.
    """
    given = who.strip()
    if not (keys_folder() / f"{stem(study_name)}.key").exists():
        return (given,)
    return given, pseudonym(given, load_key(study_name))


def words(names: Sequence[str]) -> re.Pattern[str]:
    """The names in running text; letters and digits do not go on before or after a Latin one."""
    return re.compile("|".join(_bounded(re.escape(n), n) for n in names))


def _bounded(pattern: str, name: str) -> str:
    before = r"(?<![0-9A-Za-z])" if name[:1].isascii() else ""
    after = r"(?![0-9A-Za-z])" if name[-1:].isascii() else ""
    return before + pattern + after


def rows_of(study: Study, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Every row of a study's tables that is about a person, by table: what they did, and who names them."""
    found = {}
    plans = plans_of(study, names)
    for name, table in study.tables.items():
        rows = about(name, table, names, plans)
        if len(rows):
            found[name] = rows
    return found


def plans_of(study: Study, names: Sequence[str]) -> list[str]:
    """The plan rows of a person: their ratings are told by these."""
    plan = study.get("plan")
    if plan is None:
        return []
    return [str(v) for v in plan.loc[plan["rater_key"].isin(names), "plan_id"]]


def about(name: str, table: Any, names: Sequence[str], plans: Sequence[str]) -> pd.DataFrame:
    """The rows of one table that are about a person."""
    column = PERSONS.get(name, "")
    if not isinstance(table, pd.DataFrame):  # a log that stays in its engine
        return table.filter(table[column].isin(list(names))).execute() if column else pd.DataFrame()
    return table[own(name, table, names, plans) | _named(name, table, names)]


def own(name: str, table: pd.DataFrame, names: Sequence[str], plans: Sequence[str]) -> pd.Series:
    """Rows that say what the person did or judged."""
    column = PERSONS.get(name, "")
    hit = table[column].isin(names) if column in table else pd.Series(False, index=table.index)
    if name == "rating" and "plan_id" in table:
        hit |= table["plan_id"].isin(plans)
    return hit


def _named(name: str, table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Rows whose text names the person."""
    hit = pd.Series(False, index=table.index)
    for column in texts(name, table):
        hit |= table[column].astype("object").fillna("").astype(str).str.contains(words(names))
    return hit


def texts(name: str, table: pd.DataFrame) -> list[str]:
    """Columns in which people write what they like."""
    return [c for c in _FREE.get(name, ()) if c in table]


def files_of(path: Path) -> list[Path]:
    """Every file of a study on the disk; of a single workbook only itself, its store and its outputs."""
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file())
    beside = [*path.parent.glob(f"{STORE}*"), *(path.parent / "outputs").rglob("*")]
    return [path, *sorted(p for p in beside if p.is_file())]


def left_in(files: Sequence[Path], names: Sequence[str]) -> list[Path]:
    """Files in which a name is still found: in their bytes, unpacked where they are packed, or their name."""
    try:
        return [f for f in files if _holds(f, names)]
    except OSError as error:
        from svcmetrics.io.safe_files import file_problem

        raise OutputError(file_problem("file_locked", Path(str(error.filename)))) from error


def _holds(file: Path, names: Sequence[str]) -> bool:
    if words(names).search(file.name):
        return True
    text = file.suffix.lower() in (
        ".csv",
        ".txt",
        ".toml",
        ".json",
        ".html",
        ".ipynb",
        ".md",
        ".xml",
    )
    sought = [n for n in names if text or len(n.encode()) >= _LONG_ENOUGH]
    if any(p.search(part) for p in map(_in_bytes, sought) for part in _parts(file)):
        return True
    every = [_in_bytes(n) for n in names]
    return any(p.search(part) for part in _unpacked(file) for p in every)


def _in_bytes(name: str) -> re.Pattern[bytes]:
    """A name in the encodings and escapes that files use."""
    spellings = {name, json.dumps(name)[1:-1], html.escape(name)}
    forms = {_bytes(s, c) for s in spellings for c in ("utf-8", "gb18030")}
    forms.add(_bytes(name, "utf-16-le"))
    before = rb"(?<![0-9A-Za-z])" if name[:1].isascii() else b""
    after = rb"(?![0-9A-Za-z])" if name[-1:].isascii() else b""
    return re.compile(before + b"(?:" + b"|".join(sorted(map(re.escape, forms))) + b")" + after)


def _bytes(text: str, code: str) -> bytes:
    return text.encode(code, errors="replace")


def _parts(file: Path) -> Iterator[bytes]:
    """The bytes of a file in pieces that overlap, so that no name falls between two."""
    with file.open("rb") as stream:
        kept = b""
        while piece := stream.read(_BLOCK):
            yield kept + piece
            kept = piece[-256:]


def _unpacked(file: Path) -> Iterator[bytes]:
    """What is packed inside: parts of workbooks, columns of Parquet, gzip."""
    kind = file.suffix.lower()
    if kind == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(file).iter_batches():
            for column in batch.columns:
                distinct = column.unique() if not pa.types.is_nested(column.type) else column
                yield "\n".join(str(v) for v in distinct.to_pylist()).encode()
    elif kind in _ZIPS and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            for inside in packed.infolist():
                yield inside.filename.encode() + b"\n" + packed.read(inside)
    elif kind == ".gz":
        with gzip.open(file) as stream:
            while piece := stream.read(_BLOCK):
                yield piece
