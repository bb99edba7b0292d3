"""A company with known truth: what svcmetrics finds can be compared with what was planted.

``simulate`` writes a study and its ``truth.toml`` into a folder; ``company`` keeps it in memory.
The company is invented: no real firm, no person. The same seed gives the same study.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import tomli_w

from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.settings import write_settings
from svcmetrics.problems import OutputError, Problem, StudyError
from svcmetrics.simulate.build import LONG, Progress, build
from svcmetrics.simulate.dictionary import data_dictionary
from svcmetrics.simulate.files import LongFiles, write_small, write_text
from svcmetrics.simulate.memory import study_of
from svcmetrics.study import Study

__all__ = ["company", "data_dictionary", "simulate", "truth"]

TRUTH = "truth.toml"
SEED = 20240901
UNITS, EVENTS, RATINGS = 14, 40_000, 30_000
MIN_UNITS, MIN_EVENTS, MIN_RATINGS = 4, 200, 200
_HEAD = (
    "# Written by: svcmetrics simulate. An invented company; every person and number is made up.\n"
)


def simulate(
    directory: str | Path, *, seed: int = SEED, units: int = UNITS, events: int = EVENTS,
    ratings: int = RATINGS, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Write a study whose truth is known: twelve tables, study.toml and truth.toml.

    ``units`` departments (4 or more), exactly ``events`` rows of the workflow log and ``ratings``
    rows of answers. The long tables go to Parquet piece by piece, so that ten million events
    need no more memory than a few hundred thousand. ``progress`` is called with a table's name,
    its rows so far and all its rows. Gives back the folder.

    >>> import tempfile
    >>> folder = simulate(tempfile.mkdtemp(), events=500, ratings=300)
    >>> (folder / "truth.toml").exists()
    True
    """
    _sizes(units, events, ratings)
    folder = Path(directory)
    _spare(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with LongFiles(folder) as long:
        tables, settings, truth = build(seed, units, events, ratings, long.take, progress)
    write_small(folder, tables)
    write_text(folder / "study.toml", _HEAD + write_settings(settings))
    write_text(folder / TRUTH, _HEAD + tomli_w.dumps(truth))
    return folder


def company(
    *, seed: int = SEED, units: int = UNITS, events: int = EVENTS, ratings: int = RATINGS
) -> Study:
    """The same study in memory; its truth is what ``truth`` of the same arguments gives.

    >>> company(events=500, ratings=300).rating.shape[0]
    300
    """
    _sizes(units, events, ratings)
    long: dict[str, list[pa.Table]] = {name: [] for name in LONG}
    tables, settings, _ = build(
        seed, units, events, ratings, lambda name, piece: long[name].append(piece)
    )
    return study_of(
        {name: pa.concat_tables(parts) for name, parts in long.items()}, tables, settings
    )


def truth(
    *, seed: int = SEED, units: int = UNITS, events: int = EVENTS, ratings: int = RATINGS
) -> dict:
    """What was planted in the company of the same arguments: the content of truth.toml."""
    _sizes(units, events, ratings)
    return build(seed, units, events, ratings, lambda *_: None)[2]


def _spare(folder: Path) -> None:
    """A folder that holds anything but an invented company stays as it is."""
    if folder.is_dir() and not (folder / TRUTH).exists():
        others = sorted(p.name for p in folder.iterdir())
        if others:
            raise OutputError(file_problem("folder_not_invented", folder, others=others[:8]))


def _sizes(units: int, events: int, ratings: int) -> None:
    if units < MIN_UNITS or events < MIN_EVENTS or ratings < MIN_RATINGS:
        floors = {"min_units": MIN_UNITS, "min_events": MIN_EVENTS, "min_ratings": MIN_RATINGS}
        asked = {"units": units, "events": events, "ratings": ratings}
        raise StudyError([Problem("company_too_small", {**asked, **floors})])
