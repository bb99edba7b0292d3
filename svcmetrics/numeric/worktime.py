"""Working time on integer ticks: how much lies between two instants, and when a limit runs out.

F(t) is the working time from the start of the calendar to t, read from one row per day:
``F(t) = base[day] + Σ clip(t - open, 0, length)``. A duration is F(end) - F(start), exact in
integers; a due time is the inverse of F. A tick is whatever the caller counts in (second,
microsecond); instants are ticks since any common origin, best in UTC, because a local clock
jumps twice a year in many countries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SECONDS_PER_DAY = 86_400
# Instants per block: the temporaries of one block stay in the cache.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class Clock:
    """Working slots of one calendar, one row per day.

    ``start`` and ``end``: the covered ticks [start, end]. ``day``: ticks per day. ``first``: number
    of the first day (ticks // day). ``base``: working ticks before each day. ``opens`` and
    ``lengths``: days × slots; the first in ticks of the day, unused slots have length 0.
    """

    start: int
    end: int
    day: int
    first: int
    base: Ints
    opens: Ints
    lengths: Ints

    @property
    def total(self) -> int:
        """All working ticks of the calendar."""
        return int(self.base[-1] + self.lengths[-1].sum())


def clock(
    opens: ArrayLike, closes: ArrayLike, *, start: int, end: int, day: int = SECONDS_PER_DAY
) -> Clock:
    """A clock from working slots [open, close), in ticks; slots may cross midnight.

    ``start`` and ``end`` say which ticks the calendar covers: days without a slot count too.
    Slots that overlap would be counted twice and are refused.
    """
    a, b = np.asarray(opens, dtype=np.int64), np.asarray(closes, dtype=np.int64)
    order = np.argsort(a, kind="stable")
    a, b = a[order], b[order]
    if (b < a).any() or (b[:-1] > a[1:]).any():
        raise ValueError("working slots must not overlap, and must close after they open")
    if end <= start or (a.size and (a[0] < start or b[-1] > end)):
        raise ValueError("working slots must lie within the days that the calendar covers")
    a, b = _split_at_midnight(a, b, day)
    first, last = start // day, (end - 1) // day
    row = a // day - first
    place = np.arange(row.size) - np.searchsorted(row, row)  # slot number within its day
    days, width = last - first + 1, int(place.max()) + 1 if row.size else 1
    # Stored slot by slot (Fortran order): one slot of all days is what the arithmetic reads.
    open_at, length = (np.zeros((days, width), np.int64, order="F") for _ in range(2))
    open_at[row, place], length[row, place] = a % day, b - a
    base = np.concatenate([[0], np.cumsum(length.sum(axis=1))[:-1]]).astype(np.int64)
    return Clock(start, end, day, first, base, open_at, length)


def covers(c: Clock, at: ArrayLike) -> Flags:
    """Whether the calendar knows these instants."""
    t = np.asarray(at, dtype=np.int64)
    return np.asarray((t >= c.start) & (t <= c.end), dtype=np.bool_)


def position(c: Clock, at: ArrayLike) -> Ints:
    """F(t): working ticks from the start of the calendar to each instant.

    Instants outside the calendar give the value at its edge: ask ``covers`` first.
    """
    t = np.asarray(at, dtype=np.int64)
    out = np.empty(t.size, dtype=np.int64)
    flat = t.ravel()
    for lo in range(0, flat.size, _BLOCK):
        out[lo : lo + _BLOCK] = _position(c, flat[lo : lo + _BLOCK])
    return out.reshape(t.shape)


def between(c: Clock, start: ArrayLike, end: ArrayLike) -> tuple[Ints, Flags]:
    """Working ticks from start to end (negative when end lies before), and which are known.

    Where the flag is False an end lies outside the calendar, and the number means nothing.
    """
    a, b = np.broadcast_arrays(np.asarray(start, np.int64), np.asarray(end, np.int64))
    first, last = a.ravel(), b.ravel()
    ticks, known = np.empty(first.size, np.int64), np.empty(first.size, np.bool_)
    for lo in range(0, first.size, _BLOCK):
        part = slice(lo, lo + _BLOCK)
        np.subtract(_position(c, last[part]), _position(c, first[part]), out=ticks[part])
        np.logical_and(covers(c, first[part]), covers(c, last[part]), out=known[part])
    return ticks.reshape(a.shape), known.reshape(a.shape)


def after(c: Clock, start: ArrayLike, ticks: ArrayLike) -> tuple[Ints, Flags]:
    """The earliest instant at which so many working ticks have passed since start.

    A limit that runs out in the evening gives the closing instant itself, not the next opening.
    Zero ticks give the start. The flag is False where the calendar ends too early.
    """
    t, add = np.broadcast_arrays(np.asarray(start, np.int64), np.asarray(ticks, np.int64))
    goal = position(c, t) + add
    ends = np.append(c.base[1:], c.total)
    day = np.searchsorted(ends, goal, side="left")
    known = covers(c, t) & (day < ends.size) & (add >= 0)
    day = np.minimum(day, ends.size - 1)
    rest = goal - c.base[day]
    due = (c.first + day) * c.day
    settled = np.zeros(t.shape, dtype=np.bool_)
    within = due.copy()
    for slot in range(c.opens.shape[1]):
        length = c.lengths[day, slot]
        here = ~settled & (rest <= length) & (length > 0)
        within = np.where(here, due + c.opens[day, slot] + rest, within)
        settled |= here
        rest = rest - length
    return np.where(add == 0, t, within), known


def _position(c: Clock, t: Ints) -> Ints:
    t = np.clip(t, c.start, c.end)
    row = np.minimum(t // c.day - c.first, c.base.size - 1)
    t -= (row + c.first) * c.day
    out = c.base.take(row)
    for opens, lengths in zip(c.opens.T, c.lengths.T, strict=True):
        part = t - opens.take(row)
        np.maximum(part, 0, out=part)
        np.minimum(part, lengths.take(row), out=part)
        out += part
    return out


def _split_at_midnight(a: Ints, b: Ints, day: int) -> tuple[Ints, Ints]:
    keep = b > a
    a, b = a[keep], b[keep]
    pieces = (b - 1) // day - a // day + 1
    part = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    midnight = (np.repeat(a // day, pieces) + part) * day
    return np.maximum(np.repeat(a, pieces), midnight), np.minimum(
        np.repeat(b, pieces), midnight + day
    )
