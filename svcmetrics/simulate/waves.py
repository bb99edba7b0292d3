"""When the ratings are given, and which cases count as evidence for them."""

from __future__ import annotations

from functools import cache

import pandas as pd

from svcmetrics.simulate.clock import TIMEZONE
from svcmetrics.simulate.planted import WAVES

WINDOW_DAYS = 90


@cache
def waves() -> tuple[tuple[str, pd.Timestamp, pd.Timestamp], ...]:
    """Name, opening and closing of each wave: the 20th, 9:00, to the 27th, 18:00, of nine months."""
    months = pd.period_range("2024-12", periods=WAVES, freq="M")
    return tuple((str(m), _moment(f"{m}-20 09:00"), _moment(f"{m}-27 18:00")) for m in months)


def _moment(local: str) -> pd.Timestamp:
    return pd.Timestamp(local, tz=TIMEZONE).as_unit("us")


def windows() -> list[tuple[int, int]]:
    """The ninety days before each wave opens, in seconds since 1970."""
    opens = (int(a.timestamp()) for _, a, _ in waves())
    return [(at - WINDOW_DAYS * 86_400, at) for at in opens]
