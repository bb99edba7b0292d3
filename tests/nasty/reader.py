"""Reads one file in a process of its own and reports what it cost and what was said."""

from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def read_apart(path: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """Import a file in a child process that is stopped after its time; what the child found."""
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload(
            ["tests.nasty.reader", "svcmetrics.io.import_files", "lxml.etree"]
        )
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_read, args=(path, folder, there))
    child.start()
    there.close()
    try:
        told = here.recv() if here.poll(seconds) else {"outcome": "too slow"}
    except EOFError:
        told = {"outcome": "crashed"}
    finally:
        child.kill()
        child.join()
    return told


def _read(path: Path, folder: Path, answer: Any) -> None:
    started = time.perf_counter()
    told = _told(path, folder)
    told["seconds"] = time.perf_counter() - started
    told["megabytes"] = _peak()
    answer.send(told)


def _told(path: Path, folder: Path) -> dict[str, Any]:
    from svcmetrics.io.import_files import import_file, propose
    from svcmetrics.problems import InputError

    try:
        mapping = propose(path).but(persons="pseudonym")  # ids come out as they went in
        report = import_file(path, folder, mapping=mapping)
    except InputError as error:
        said = "\n".join(error.say(code) for code in ("zh", "en"))
        rows = [p.rows for p in error.problems]
        return {
            "outcome": "refused",
            "keys": {p.key for p in error.problems},
            "text": said,
            "rows": rows,
        }
    except Exception as error:  # noqa: BLE001 - this is what the test is about
        return {"outcome": f"obscure: {error!r}"[:500]}
    keys = {f.key for f in report.findings} | {p.key for p in report.problems}
    said = report.say("zh") + report.say("en")
    return {
        "outcome": "read",
        "keys": keys,
        "text": said,
        "left_out": dict(report.left_out),
        "rows_in": report.rows_in,
    }


def _peak() -> float:
    """The largest memory of this process in megabytes; nothing where the system does not say."""
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
