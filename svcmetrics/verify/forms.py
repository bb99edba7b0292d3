"""How checks of answering habits read their table: one row per form, one column per item.

Not a statistic. A form is what one rater answered on one target in one wave. Shared by formality,
careless, halo and centrality.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.columns import numbers, require, unique
from svcmetrics.numeric import categories
from svcmetrics.result import Finding
from svcmetrics.verify import grid
from svcmetrics.verify.forms_extra import first, told
from svcmetrics.verify.forms_time import by_time, moments

# The one item of forms that have none.
_ONE = "\0item"


@dataclass(frozen=True)
class Forms:
    """Answers (forms × items, NaN where none) and who filled in which form when, as positions."""

    answers: np.ndarray
    rater: np.ndarray
    target: np.ndarray
    wave: np.ndarray
    raters: list[Any]
    targets: list[Any]
    items: list[Any]
    waves: list[Any]
    extra: dict[str, np.ndarray]
    dropped: dict[str, int]
    findings: list[Finding]

    def __len__(self) -> int:
        return len(self.answers)

    @cached_property
    def coded(self) -> tuple[np.ndarray, np.ndarray]:
        """Answers as positions among the values that occur, −1 where none; these values."""
        return categories.coded(self.answers)

    @cached_property
    def counted(self) -> np.ndarray:
        """Waves × items × values: how often each answer was given."""
        codes, values = self.coded
        size = len(values) + 1
        place = self.wave.astype(np.int64) * size + 1
        times = [np.bincount(place + c, minlength=len(self.waves) * size) for c in codes.T]
        return np.stack(times, axis=1).reshape(len(self.waves), size, -1)[:, 1:].transpose(0, 2, 1)

    def centred(self) -> np.ndarray:
        """The mean answer of each form, items taken relative to their own mean in the wave."""
        total, n = np.zeros(len(self)), np.zeros(len(self))
        for answer in self.answers.T:
            known = np.isfinite(answer)
            given = np.where(known, answer, 0.0)
            answers = np.bincount(self.wave, known, minlength=len(self.waves))
            mean = np.bincount(self.wave, given) / np.maximum(answers, 1)
            total += np.where(known, given - mean[self.wave], 0.0)
            n += known
        return total / n

    def last(self) -> np.ndarray:
        """The position of the same rater's form on the same target one wave earlier; -1 if none."""
        out = np.full(len(self), -1)
        # Forms stand in the order of rater, target and wave.
        follows = self.wave[1:] == self.wave[:-1] + 1
        for same in (self.rater, self.target):
            follows &= same[1:] == same[:-1]
        out[1:][follows] = np.flatnonzero(follows)
        return out

    def flat(self) -> np.ndarray:
        """Forms of at least two answers that are all the same."""
        codes = self.coded[0]
        low = np.where(codes < 0, np.iinfo(codes.dtype).max, codes).min(axis=1)
        return (low == codes.max(axis=1)) & ((codes >= 0).sum(axis=1) > 1)


def read(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    item: str | None = None,
    wave: str | None = None,
    extra: tuple[str | None, ...] = (),
    time: str | None = None,
) -> Forms:
    """Ratings (one row per answer) as forms; a repeated answer is an error.

    ``item``: without it, each row is a form of its own.
    ``extra``: columns that belong to the form as a whole; where a form has several values, the
        smallest counts, and a finding says so.
    ``time``: orders the waves by their median moment; otherwise their names do.
    """
    if item is None:
        ratings, item = ratings.assign(**{_ONE: ""}), _ONE
    more = [c for c in (*extra, time) if c]
    require(ratings, rater, target, wave, item, score, *more)
    keys = [rater, target, item, *([wave] if wave else [])]
    found = _coded(ratings, keys, score)
    (r, raters), (t, targets), (i, items) = found.ids[:3]
    w, waves = found.ids[3] if wave else (np.zeros(len(r), np.int8), [""])
    if time and wave and len(r):
        w, waves = by_time(w, waves, moments(ratings, time).to_numpy()[found.rows])
    forms, row = _numbered((r, t, w), (len(raters), len(targets), len(waves)))
    # Items lie together in memory: most of what follows goes over them one by one.
    answers = np.full((len(forms), len(items)), np.nan, order="F")
    answers[row, i] = found.score
    if int(np.isfinite(answers).sum()) < len(found.score):  # two claim the same place
        unique(ratings.iloc[found.rows], *(k for k in keys if k != _ONE))
    values = {c: first(ratings[c].iloc[found.rows], row, len(forms)) for c in more}
    size, many = max(len(waves), 1), max(len(targets), 1)
    notes = [
        *found.odd,
        *_unnamed(grid.odd_labels(rater, raters)),
        *grid.odd_labels(target, targets),
        *told(ratings, extra, (found.rows, row), len(forms)),
    ]
    if not time and len(waves) > 1 and not grid.is_ordered(waves):
        shown = [str(name) for name in waves]
        notes.append(Finding("forms.wave_order", {"waves": shown}, "warning"))
    return Forms(answers, forms // size // many, forms // size % many, forms % size,
                 raters, targets, items, waves, values, found.dropped, notes)  # fmt: skip


@dataclass(frozen=True)
class _Columns:
    """Usable rows: where they stand, ids as positions with their labels, scores."""

    rows: np.ndarray | slice
    ids: list[tuple[np.ndarray, list[Any]]]
    score: np.ndarray
    dropped: dict[str, int]
    odd: list[Finding]


def _coded(ratings: pd.DataFrame, keys: list[str], score: str) -> _Columns:
    """Whole numbers of few bytes in place of ids; rows without a score or an id are dropped."""
    number = numbers(ratings, score)
    values = number.to_numpy()
    given, whole = np.isfinite(values), np.ones(len(values), bool)
    ids = []
    for key in keys:
        codes, labels = grid.coded(ratings[key])
        ids.append((codes, labels))
        whole &= codes >= 0
    keep = given & whole
    counts = {"no_score": int((~given).sum()), "no_id": int((given & ~whole).sum())}
    rows: np.ndarray | slice = slice(None) if keep.all() else np.flatnonzero(keep)
    ids = [_used(codes[rows], labels) for codes, labels in ids]
    odd = grid._odd_scores(number.to_frame().iloc[rows], score)
    return _Columns(rows, ids, values[rows], {k: v for k, v in counts.items() if v}, odd)


def _used(codes: np.ndarray, labels: list[Any]) -> tuple[np.ndarray, list[Any]]:
    """Positions among the labels that occur."""
    there = np.bincount(codes, minlength=len(labels)) > 0
    if there.all():
        return codes, labels
    return (np.cumsum(there) - 1)[codes], [labels[k] for k in np.flatnonzero(there)]


def _numbered(
    ids: tuple[np.ndarray, np.ndarray, np.ndarray], sizes: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The forms that occur, as one number each and in order; the place of each row among them."""
    size = sizes[0] * sizes[1] * sizes[2]
    code: np.ndarray = ids[0].astype(np.int32 if size < 2**31 else np.int64)
    for own, many in zip(ids[1:], sizes[1:]):
        code = code * many + own
    if size > 8 * len(code) + 1000:
        found, place = np.unique(code, return_inverse=True)
        return found.astype(np.int64), place
    there = np.zeros(size, bool)
    there[code] = True
    place = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(there), place[code]


def part(forms: Forms, keep: np.ndarray) -> Forms:
    """Some of the forms; positions of raters, targets and waves are numbered anew."""
    rater, raters = _anew(forms.rater[keep], forms.raters)
    target, targets = _anew(forms.target[keep], forms.targets)
    wave, waves = _anew(forms.wave[keep], forms.waves)
    extra = {k: v[keep] for k, v in forms.extra.items()}
    return replace(
        forms, answers=forms.answers[keep], extra=extra, rater=rater, raters=raters,
        target=target, targets=targets, wave=wave, waves=waves,
    )  # fmt: skip


def part_of(forms: Forms, keep: np.ndarray) -> Forms:
    """Some of the forms; positions stay as they are."""
    extra = {k: v[keep] for k, v in forms.extra.items()}
    return replace(
        forms, answers=forms.answers[keep], extra=extra, rater=forms.rater[keep],
        target=forms.target[keep], wave=forms.wave[keep],
    )  # fmt: skip


def _anew(codes: np.ndarray, labels: list[Any]) -> tuple[np.ndarray, list[Any]]:
    used, place = np.unique(codes, return_inverse=True)
    return place, [labels[k] for k in used]


def _unnamed(found: list[Finding]) -> list[Finding]:
    """Alike keys of raters are counted, not shown: no key of a person is in a reading."""
    return [
        Finding(
            f.key, {**f.values, "pairs": [str(f.values["count"] - f.values["merged"])]}, f.level
        )
        for f in found
    ]
