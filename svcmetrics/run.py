"""Run the notebooks on a study: one folder of outputs with an HTML page each, and a manifest."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from svcmetrics import lang
from svcmetrics.criteria import keep_or_refuse
from svcmetrics.impact_record import write_record
from svcmetrics.manifest import digests, versions, without_home, write_manifest, write_whole
from svcmetrics.pages import index_page, missing_page, page, settle, table_name
from svcmetrics.privacy.labels import relabelled, report_labels
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Study, why
from svcmetrics.typeface import copy_typeface

# A cell with the tag "needs-event" runs only in studies that hold the table "event".
_NEEDS = "needs-"
# Seconds that a busy machine may take to hand over what a cell has shown.
_PATIENCE = 300
Progress = Callable[["Step", int, int], None]


@dataclass(frozen=True)
class Step:
    """One notebook of a run: done, skipped for want of tables, or failed."""

    name: str
    state: str  # "done" | "skipped" | "failed"
    seconds: float = 0.0
    missing: tuple[str, ...] = ()
    reason: str = ""


def notebooks() -> list[Path]:
    """The notebooks of the toolkit, in order: beside the package in a checkout, inside it when installed."""
    package = Path(str(resources.files("svcmetrics")))
    for folder in (package.parent / "notebooks", package / "_notebooks"):
        found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if found:
            return found
    raise StudyError(Problem("no_notebooks", file=str(package.name)))


def run(
    study: Study,
    out: Path,
    *,
    language: str,
    only: tuple[str, ...] = (),
    progress: Progress | None = None,
    command: str = "",
) -> list[Step]:
    """Execute the notebooks that the study's tables allow and write ``out``: pages, notebooks, manifest.

    ``only`` picks notebooks by the start of their name ("04"). A notebook whose tables are missing
    gets a page that says which, why they matter and where their template is.
    """
    started = time.time()
    chosen = [p for p in notebooks() if not only or p.name.startswith(only)]
    if not chosen:
        raise StudyError(
            Problem(
                "no_such_notebook", {"asked": list(only), "known": [p.stem for p in notebooks()]}
            )
        )
    keep_or_refuse(study)
    out.mkdir(parents=True, exist_ok=True)
    copy_typeface(out)
    inputs = _inputs(study, out)
    labels = report_labels(study, inputs)
    steps = []
    for number, path in enumerate(chosen):
        steps.append(_step(path, study, out, language, labels))
        if progress:
            progress(steps[-1], number + 1, len(chosen))
    _write_index(steps, study, out, language)
    write_record(study, out, kind="run", inputs=inputs, made=[s.name for s in steps])
    _record(steps, study, out, language, command, started, inputs)
    return steps


def needs(path: Path) -> tuple[str, ...]:
    """The tables that a notebook says it cannot do without."""
    content = json.loads(path.read_text("utf-8"))
    return tuple(content["metadata"].get("svcmetrics", {}).get("needs", ()))


def _step(path: Path, study: Study, out: Path, language: str, labels: Mapping[str, str]) -> Step:
    missing = tuple(t for t in needs(path) if not _holds(study, t))
    if missing:
        write_whole(out / f"{path.stem}.html", missing_page(path.stem, missing, language).encode())
        return Step(path.stem, "skipped", missing=missing)
    clock = time.perf_counter()
    failed = _execute(path, study, out, language, labels)
    return Step(
        path.stem, "failed" if failed else "done", time.perf_counter() - clock, reason=failed
    )


def _holds(study: Study, need: str) -> bool:
    """Whether a study has a table, or the criteria of its study.toml."""
    return bool(study.settings.criteria) if need == "criteria" else study.has(need)


def _execute(path: Path, study: Study, out: Path, language: str, labels: Mapping[str, str]) -> str:
    """Run one notebook and write its page, also when it failed; returns the error or an empty text."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    target = out / "notebooks" / path.name
    target.parent.mkdir(exist_ok=True)
    write_whole(target, json.dumps(_allowed(path, study, language), ensure_ascii=False).encode())
    # From where the notebook runs: the same in any place, and without the user's home folder.
    folder = _seen_from(out, study.path or Path())
    with _quiet():
        try:
            papermill.execute_notebook(
                target, target, parameters={"folder": folder, "language": language},
                progress_bar=False, kernel_name="python3", cwd=str(out), log_output=False,
                request_save_on_cell_execute=False, config=_kernel_settings(),
                iopub_timeout=_PATIENCE,
                extra_arguments=["--IPKernelApp.log_level=50"],
            )  # fmt: skip
            failed = ""
        except PapermillExecutionError as error:
            failed = relabelled(without_home(f"{error.ename}: {error.evalue}"), labels)
        except TimeoutError as error:  # a cell that does not end, not a file
            failed = relabelled(without_home(str(error)), labels)
        settle(target)
        # No pseudonym of the study leaves with a page; also a name inside an error is a name.
        write_whole(target, relabelled(target.read_text("utf-8"), labels).encode())
        write_whole(out / f"{path.stem}.html", page(target, language).encode())
    return failed


def _seen_from(out: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return str(folder.resolve())


def _allowed(path: Path, study: Study, language: str) -> dict[str, Any]:
    """The notebook with a sentence in place of each cell whose tables are missing."""
    content = json.loads(path.read_text("utf-8"))
    for cell in content["cells"]:
        tags = cell["metadata"].get("tags", ())
        missing = [t.removeprefix(_NEEDS) for t in tags if t.startswith(_NEEDS)]
        missing = [t for t in missing if not study.has(t)]
        if missing:
            with lang.speaking(language):
                said = "\n\n".join(
                    Problem("missing_table", {"why": why(t)}, table=t).say() for t in missing
                )
            cell.update(cell_type="markdown", source=f"*{said}*")
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
    return content


def _kernel_settings() -> Any:
    """Kernels that talk through files of their owner, not through open network ports."""
    from traitlets.config import Config

    return Config() if os.name == "nt" else Config(KernelManager={"transport": "ipc"})


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own notes off the user's screen; failures reach the user as steps."""
    import logging
    import warnings

    names = ("papermill", "traitlets", "nbclient")
    levels = {name: logging.getLogger(name).level for name in names}
    # The kernel would inherit it, and then compile every module anew in each notebook.
    kept = os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            if kept is not None:
                os.environ["PYTHONDONTWRITEBYTECODE"] = kept


def _write_index(steps: list[Step], study: Study, out: Path, language: str) -> None:
    with lang.speaking(language):
        title = lang.say("run.index_title", study=study.settings.name)
        # Without the seconds: the same run gives the same page.
        rows = [
            (s.name, s.state, lang.say("run.page_done") if s.state == "done" else said(s))
            for s in steps
        ]
    write_whole(out / "index.html", index_page(title, rows, language).encode())


def said(step: Step) -> str:
    """One line on how a notebook went, in the current language."""
    return lang.say(
        f"run.{step.state}",
        seconds=step.seconds,
        missing=[table_name(t) for t in step.missing],
        reason=step.reason,
    )


def _record(
    steps: list[Step], study: Study, out: Path, language: str, command: str, started: float,
    inputs: Mapping[str, str],
) -> None:  # fmt: skip
    write_manifest(out, {
        "command": command,
        "study": study.settings.name,
        "language": language,
        "seed": study.settings.seed,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
        "versions": versions(),
        "inputs": inputs,
        "outputs": digests(out, skip=[out / "manifest.json"]),
        "notebooks": {s.name: _told(s) for s in steps},
    })  # fmt: skip


def _inputs(study: Study, out: Path) -> dict[str, str]:
    source = study.path or Path()
    if source.is_dir():
        return digests(source, skip=[out])
    return {source.name: digests(source.parent).get(source.name, "")}


def _told(step: Step) -> dict[str, object]:
    return {
        "state": step.state,
        "seconds": round(step.seconds, 1),
        "missing": list(step.missing),
        "reason": step.reason,
    }
