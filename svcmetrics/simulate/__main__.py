"""Makes the committed example again: ``python -m svcmetrics.simulate`` in the project folder."""

from __future__ import annotations

from pathlib import Path

from svcmetrics.io.whole import write_whole
from svcmetrics.simulate import data_dictionary, simulate

if __name__ == "__main__":
    data = Path("data")
    simulate(data / "pilot")
    write_whole(data / "README.md", data_dictionary().encode())
