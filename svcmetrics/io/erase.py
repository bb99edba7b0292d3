"""Leave and be forgotten: everything that a study holds about one person is erased, and nobody named in the record."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io.merge_study import save_tables
from svcmetrics.io.persons import (
    PERSONS,
    about,
    called,
    files_of,
    left_in,
    own,
    plans_of,
    rows_of,
    texts,
    words,
)
from svcmetrics.io.rating_store import MASK, STORE, RatingStore
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.study_files import CHECKS_FILE, read_files, read_study
from svcmetrics.io.whole import write_whole
from svcmetrics.privacy.record import keep_erasure
from svcmetrics.problems import OutputError, StudyError
from svcmetrics.study import Study

# The log goes on without the person; everything else that a person said goes with them.
_STAYS = ("event",)
# What a simulation planted, by person.
_TRUTH = "truth.toml"
_CACHES = (".ipynb_checkpoints", "__pycache__")


@dataclass(frozen=True)
class Erased:
    """What was erased: rows by table, files removed or masked, and files that still hold the name."""

    rows: dict[str, int]
    removed: tuple[Path, ...]
    masked: tuple[Path, ...]
    left: tuple[Path, ...]


def erase_person(path: str | Path, who: str) -> Erased:
    """How does a person leave? Their plan rows, ratings, judgements go, and their name everywhere else.

    ``path``: the study. ``who``: a name or employee number as it was imported, or a pseudonym.

    Rows that the person wrote are deleted; in the log the case stays and the actor becomes blank;
    in texts of others, and in the ``truth.toml`` of a simulated study, the name becomes "■■". Pages
    that analysts made of the study are removed, since pictures cannot be searched; reports made of
    published tables stay, they hold no person. Files that are no tables of the study are not touched:
    those that hold the name are told (``left``).
    The ledger keeps its marks, which say nothing without the key: without them the next report
    would reveal what was withdrawn.

    Misleads: copies elsewhere (e-mails, backups, pages written to another folder) are not found, and
    blocks that a disk has freed are not overwritten.
    """
    path = Path(path)
    study = read_study(path)
    names = called(study.settings.name, who)
    rows = {name: len(table) for name, table in rows_of(study, names).items()}
    plans = plans_of(study, names)
    try:
        _from_files(path, names, plans)
        _from_store(path, study, names, plans)
        masked = _truth(path, names)
        removed = _outputs(path)
        removed += _caches(path, names, removed)
    except OSError as error:
        raise OutputError(file_problem("folder_locked", path)) from error
    left = left_in(files_of(path), names)
    if rows or removed or masked:
        files = len(removed) + len(masked)
        keep_erasure(study.settings.name, rows, files=files, left=len(left))
    return Erased(rows, tuple(removed), tuple(masked), tuple(left))


def _from_files(path: Path, names: Sequence[str], plans: Sequence[str]) -> None:
    try:
        study = read_files(path)
    except StudyError:  # everything lies in the store
        return
    changed = {
        name: without(name, table, names, plans)
        for name, table in study.tables.items()
        if len(about(name, table, names, plans))
    }
    if changed:
        save_tables(study, changed, path, exists=True)


def without(name: str, table: Any, names: Sequence[str], plans: Sequence[str]) -> Any:
    """A table without a person."""
    column = PERSONS.get(name, "")
    if not isinstance(table, pd.DataFrame):
        import ibis

        hit = table[column].isin(list(names))
        return table.mutate(**{column: ibis.ifelse(hit, ibis.null("string"), table[column])})
    hit = own(name, table, names, plans)
    blank = {column: table[column].mask(hit)} if name in _STAYS else {}
    kept = table.assign(**blank) if blank else table[~hit]
    pattern = words(names)
    masked = {
        c: kept[c].astype("str").str.replace(pattern, MASK, regex=True).where(kept[c].notna())
        for c in texts(name, kept)
        if kept[c].notna().any()
    }
    return kept.assign(**masked).reset_index(drop=True)


def _from_store(path: Path, study: Study, names: Sequence[str], plans: Sequence[str]) -> None:
    folder = path if path.is_dir() else path.parent
    if (folder / STORE).is_file():
        with RatingStore.open(folder, timezone=study.settings.timezone) as store:
            store.erase(names, plans, words(names))


def _truth(path: Path, names: Sequence[str]) -> list[Path]:
    """Take the person out of what a simulation says it planted: that file is ours, and of the study."""
    file = (path if path.is_dir() else path.parent) / _TRUTH
    if not (file.is_file() and left_in([file], names)):
        return []
    import tomli_w

    try:
        text = file.read_text("utf-8")
        kept = _without_person(tomllib.loads(text), words(names))
    except ValueError:  # nothing that we wrote: it is told, and left alone
        return []
    head = "".join(line for line in text.splitlines(keepends=True)[:1] if line.startswith("#"))
    write_whole(file, (head + tomli_w.dumps(kept)).encode())
    return [file]


def _without_person(content: Any, pattern: re.Pattern[str]) -> Any:
    """Entries under the person's name go; in other texts the name is masked."""
    if isinstance(content, dict):
        own = {k: v for k, v in content.items() if not pattern.search(k)}
        return {k: _without_person(v, pattern) for k, v in own.items()}
    if isinstance(content, list):
        return [_without_person(v, pattern) for v in content]
    return pattern.sub(MASK, content) if isinstance(content, str) else content


def _outputs(path: Path) -> list[Path]:
    """Remove the analysts' pages of every run inside the study; reports of published tables stay."""
    removed: list[Path] = []
    for manifest in [f for f in files_of(path) if f.name == "manifest.json"]:
        try:
            content = json.loads(manifest.read_text("utf-8"))
            made = list(content["outputs"]) if "notebooks" in content else []
        except (ValueError, KeyError, TypeError):
            continue
        pages = [manifest.parent / name for name in made if _is_page(name)]
        inside = [p for p in pages if p.is_file() and manifest.parent in p.resolve().parents]
        for file in [*inside, manifest] if made else []:
            file.unlink()
            removed.append(file)
    return removed


def _is_page(name: str) -> bool:
    return name.endswith((".html", ".ipynb")) and not name.startswith("brief_")


def _caches(path: Path, names: Sequence[str], removed: list[Path]) -> list[Path]:
    """Remove drafts, caches and the list of checks where they hold the name."""
    gone = []
    for file in left_in([f for f in files_of(path) if f not in removed], names):
        parts = file.relative_to(path).parts if path.is_dir() else (file.name,)
        hidden = any(p.startswith(".") or p in _CACHES for p in parts)
        if hidden or file.name == CHECKS_FILE:
            file.unlink()
            gone.append(file)
    for folder in [f for f in path.rglob("*") if f.is_dir() and f.name in _CACHES]:
        if not any(folder.iterdir()):
            shutil.rmtree(folder)
    return gone
