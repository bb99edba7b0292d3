"""Makes the committed example again: ``python -m svcmetrics.simulate`` in the project folder."""

from __future__ import annotations

from pathlib import Path

from svcmetrics.simulate import data_dictionary, simulate

if __name__ == "__main__":
    data = Path("data")
    simulate(data / "pilot")
    (data / "README.md").write_bytes(data_dictionary().encode())
