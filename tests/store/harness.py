"""What is acknowledged is never lost: a writer that is killed, many times, and what was found afterwards.

python -m tests.store.harness --kills 200
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import sqlite3
import tempfile
import time
from pathlib import Path

import pandas as pd

from svcmetrics.io.rating_store import STORE, RatingStore
from svcmetrics.problems import OutputError


def write(folder: Path, who: str, said: int, *, rows: int = 3, batches: int = -1) -> None:
    """Append small batches, for ever or so many; tell which numbers were acknowledged, a line per batch."""
    with RatingStore.open(folder) as store:
        os.write(said, b"ready\n")
        batch = 0
        while batch != batches:
            ratings = pd.DataFrame({
                "plan_id": [f"{who}-{batch}-{row}" for row in range(rows)], "item_id": "q1",
                "score": [float(1 + (batch + row) % 5) for row in range(rows)],
            })  # fmt: skip
            kept = store.append(ratings)
            told = [f"{k}:{p}:{s:g}" for k, p, s in zip(kept, ratings["plan_id"], ratings["score"])]
            os.write(said, (" ".join(told) + "\n").encode())
            batch += 1


def start(folder: Path, who: str, **sizes: int) -> tuple[int, int]:
    """A program of its own that writes to the store: its number, and where it tells what was kept."""
    heard, said = os.pipe()
    child = os.fork()
    if child:
        os.close(said)
        return child, heard
    status = 1
    try:
        os.close(heard)
        write(folder, who, said, **sizes)
        status = 0
    finally:
        os._exit(status)  # nothing of the parent is tidied up twice


def told(heard: int) -> str:
    """Everything that a writer said until it ended."""
    with os.fdopen(heard) as pipe:
        return pipe.read()


def acknowledged(said: str) -> dict[int, tuple[str, float]]:
    """Number, plan and score of every rating that a writer has acknowledged; a torn last line is none."""
    whole = said[: said.rfind("\n") + 1]
    words = [w.split(":") for line in whole.splitlines() if line != "ready" for w in line.split()]
    return {int(number): (plan, float(score)) for number, plan, score in words}


def kept(folder: Path) -> dict[int, tuple[str, float]]:
    """What the store holds, and that the file is sound."""
    store = sqlite3.connect(folder / STORE)
    try:
        state = store.execute("PRAGMA integrity_check").fetchone()[0]
        if state != "ok":
            raise AssertionError(f"the store is damaged: {state}")
        rows = store.execute("SELECT id, plan_id, score FROM rating").fetchall()
    finally:
        store.close()
    return {number: (plan, float(score)) for number, plan, score in rows}


def lost(before: dict, folder: Path) -> list[int]:
    """Acknowledged ratings that are not there as they were acknowledged."""
    there = kept(folder)
    return [number for number, rating in before.items() if there.get(number) != rating]


def torn(folder: Path, rows: int) -> list[str]:
    """Batches of which some rows are there and others are not."""
    sizes: dict[str, int] = {}
    for plan, _ in kept(folder).values():
        batch = plan.rsplit("-", 1)[0]
        sizes[batch] = sizes.get(batch, 0) + 1
    return [batch for batch, size in sizes.items() if size != rows]


def kill(times: int, folder: Path, *, seed: int = 0, rows: int = 3) -> dict[str, int]:
    """Kill a writer so many times, each at another moment; what was acknowledged, and what was lost."""
    with tempfile.TemporaryDirectory() as warm:  # what is slow the first time is not what is tried
        write(Path(warm), "w", os.open(os.devnull, os.O_WRONLY), batches=1)
    draw = random.Random(seed)
    known: dict[int, tuple[str, float]] = {}
    figures = {"kills": 0, "acknowledged": 0, "lost": 0, "torn": 0}
    for number in range(times):
        writer, heard = start(folder, f"w{number}", rows=rows)
        said = b""
        batches = 1 + draw.randrange(4)  # "ready" is the first line
        while said.count(b"\n") < batches:
            said += os.read(heard, 4096)
        time.sleep(draw.uniform(0, 0.05))
        os.kill(writer, signal.SIGKILL)
        _, status = os.waitpid(writer, 0)
        known |= acknowledged(said.decode() + told(heard))
        figures["kills"] += os.WTERMSIG(status) == signal.SIGKILL
        figures["lost"] += len(lost(known, folder))
        figures["torn"] += len(torn(folder, rows))
    figures["acknowledged"] = len(known)
    # The store can be used again at once.
    with RatingStore.open(folder) as store:
        figures["readable"] = int(len(store.ratings()) >= len(known))
    return figures


def together(writers: int, folder: Path, *, batches: int, rows: int = 3) -> dict[str, int]:
    """So many programs write to one store at the same time."""
    started = [start(folder, f"w{i}", rows=rows, batches=batches) for i in range(writers)]
    known: dict[int, tuple[str, float]] = {}
    failed = 0
    for writer, heard in started:
        known |= acknowledged(told(heard))
        failed += os.waitpid(writer, 0)[1] != 0
    return {
        "writers": writers, "failed": failed, "acknowledged": len(known),
        "lost": len(lost(known, folder)), "torn": len(torn(folder, rows)),
    }  # fmt: skip


def full(folder: Path, *, room: int) -> tuple[str, dict[str, int]]:
    """A writer whose files may not grow beyond ``room`` bytes: what it was told, and what was lost."""
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            write(folder, "w", said, rows=20)
        except OutputError as error:
            os.write(said, f"error\n{error}".encode())
            status = 0
        finally:
            os._exit(status)
    os.close(said)
    text, _, error = told(heard).partition("error\n")
    status = os.waitpid(child, 0)[1]
    known = acknowledged(text)
    return error, {
        "status": status, "acknowledged": len(known), "lost": len(lost(known, folder)),
        "torn": len(torn(folder, 20)),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--batches", type=int, default=20, help="of each of the writers")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        figures = kill(asked.kills, Path(folder))
        print("kill -9:", figures)
        bad += figures["kills"] != asked.kills or not figures["acknowledged"]
        bad += figures["lost"] + figures["torn"]
    with tempfile.TemporaryDirectory() as folder:
        figures = together(asked.writers, Path(folder), batches=asked.batches)
        print("writers:", figures)
        bad += figures["acknowledged"] != asked.writers * asked.batches * 3
        bad += figures["failed"] + figures["lost"] + figures["torn"]
    with tempfile.TemporaryDirectory() as folder:
        error, figures = full(Path(folder), room=150_000)
        print("full disk:", figures, error)
        bad += not error or not figures["acknowledged"] or figures["lost"] + figures["torn"] > 0
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
