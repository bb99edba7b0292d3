"""Print the table: each case, what it wants, and whether the answer was right."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.nasty.inputs import cases
from tests.nasty.test_nasty import PLAYS


def main(chosen: list[str]) -> int:
    """Play the chosen cases, or all; the number of wrong ones."""
    tally: Counter[tuple[str, str]] = Counter()
    for case in cases().values():
        if chosen and case.id not in chosen and case.family not in chosen:
            continue
        with tempfile.TemporaryDirectory() as place:
            os.environ["SVCMETRICS_KEYS"] = str(Path(place, "keys"))
            payload = case.build(Path(place, "input"))
            started = time.perf_counter()
            try:
                PLAYS[case.family](case, payload, Path(place))
                verdict, why = "right", ""
            except Exception:  # noqa: BLE001 - whatever it is, it is wrong
                verdict, why = "WRONG", traceback.format_exc(limit=-1)
            seconds = time.perf_counter() - started
        tally[case.family, verdict] += 1
        print(  # noqa: T201
            f"{case.id} {case.want:6} {verdict} {seconds:5.1f} s  {case.name}\n{why}".rstrip()
        )
    print(dict(tally))  # noqa: T201
    return sum(n for (_, verdict), n in tally.items() if verdict == "WRONG")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
