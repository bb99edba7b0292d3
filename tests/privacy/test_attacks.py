"""Whoever has all published tables, and knows who is in which cell, cannot compute a single rating."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from svcmetrics.privacy import Behind, Ledger, publish_means
from tests.privacy.attacker import collect, computed_groups, computed_ratings
from tests.privacy.scenarios import KINDS, SCALE, Scenario, scenarios

EACH = 7  # of eight kinds: 56 scenarios
ALL = scenarios(EACH)
# Cells shown here against those that hiding groups below five alone would show, by kind. Measured
# 2026-11: lower means that we hide more than we did.
USEFUL = {"months": 0.45, "overlaps": 0.75, "weights": 0.3, "rerun": 0.7, "insider": 0.5,
          "unanimous": 1.0, "totals": 0.65, "waves": 0.95}  # fmt: skip


def behind(release: pd.DataFrame, *, counts: bool = False) -> Behind:
    return Behind(
        release, by=["cell"], rater="rater", score="score", scale=None if counts else SCALE,
        rating=["rating", "version"], weight="weight",
    )  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> dict[str, list]:
    """Every scenario through a ledger of its own: pairs of ratings and published table."""
    out = {}
    for s in ALL:
        with Ledger.open(s.name, tmp_path_factory.mktemp(s.name)) as ledger:
            out[s.name] = [(r, publish_means(behind(r), ledger=ledger).table) for r in s.releases]
    return out


def small_groups_hidden(scenario: Scenario) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """The rule in use: nothing but groups below five is hidden."""
    out = []
    for release in scenario.releases:
        by = release.assign(sum=release["score"] * release["weight"]).groupby("cell")
        sums = by[["sum", "weight"]].sum()
        table = (sums["sum"] / sums["weight"]).round(2).rename("estimate").reset_index()
        shown = (by["rater"].nunique() >= 5).to_numpy()
        out.append((release, table.assign(bound="", shown=shown)))
    return out


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_no_rating_can_be_computed(scenario, published):
    known = collect(published[scenario.name], SCALE)
    assert computed_ratings(known) == []
    assert computed_groups(known, 5) == []


@pytest.mark.parametrize("scenario", ALL[:: EACH + 1], ids=lambda s: s.name)
def test_with_single_ratings_protected_only_none_can_be_computed(scenario, tmp_path):
    """The lower floor for computed groups gives means of two to four people away, never a rating."""
    with Ledger.open(scenario.name, tmp_path) as ledger:
        shown = [
            (r, publish_means(behind(r), ledger=ledger, min_computed=2).table)
            for r in scenario.releases
        ]
    assert computed_ratings(collect(shown, SCALE)) == []


@pytest.mark.parametrize("kind", ["months", "weights", "rerun", "insider", "unanimous", "totals"])
def test_the_attacker_is_no_straw_man(kind):
    """Against the rule in use the same attacker computes ratings."""
    scenario = next(s for s in ALL if s.kind == kind)
    assert computed_ratings(
        collect(small_groups_hidden(scenario), SCALE), insiders=kind == "totals"
    ) or computed_groups(collect(small_groups_hidden(scenario), SCALE), 5)


@pytest.mark.parametrize("kind", [k.__name__ for k in KINDS])
def test_what_is_shown_stays_useful(kind, published):
    shown = naive = 0
    for s in ALL:
        if s.kind == kind:
            shown += sum(int(t["shown"].sum()) for _, t in published[s.name])
            naive += sum(int(t["shown"].sum()) for _, t in small_groups_hidden(s))
    print(f"{kind}: {shown} of {naive} cells shown")  # noqa: T201
    assert shown >= USEFUL[kind] * naive


def test_nothing_that_is_hidden_could_have_been_shown(tmp_path):
    """Small enough to enumerate: each hidden cell would have given a rating or a small group away."""
    rng = np.random.default_rng(11)
    checked = 0
    for trial in range(12):
        score = rng.integers(1, 6, 7)
        cells = {f"c{i}": np.flatnonzero(rng.random(7) < 0.85) for i in range(3)}
        frame = pd.DataFrame(
            [(c, i, f"r{i}", int(score[i]), 1, 0) for c, m in cells.items() for i in m],
            columns=["cell", "rating", "rater", "score", "weight", "version"],
        )
        with Ledger.open(str(trial), tmp_path) as ledger:
            table = publish_means(behind(frame), ledger=ledger).table
        shown = table[table["shown"]]
        assert not enumerated(
            [(cells[r.cell], r.estimate, r.bound) for r in shown.itertuples()], score
        )
        checked += len(shown)
    assert checked > 5


def enumerated(cells: list[tuple[np.ndarray, float, str]], score: np.ndarray) -> bool:
    """Whether somebody knows a rating, by trying all that could have been answered."""
    every = np.array(list(itertools.product(range(1, 6), repeat=len(score))))
    for members, value, bound in cells:
        mean = every[:, members].mean(axis=1)
        low = 1 if bound == "at_most" else value - (0 if bound else 0.005)
        high = 5 if bound == "at_least" else value + (0 if bound else 0.005)
        every = every[(mean >= low - 1e-9) & (mean <= high + 1e-9)]
    used = sorted({int(i) for members, *_ in cells for i in members})
    for insider in (None, *range(len(score))):
        known = every if insider is None else every[every[:, insider] == score[insider]]
        if any(len(np.unique(known[:, i])) == 1 for i in used if i != insider):
            return True
    return False


@pytest.mark.parametrize("scenario", ALL[::7], ids=lambda s: s.name)
def test_decided_from_counts_alone_the_answers_do_not_matter(scenario, tmp_path):
    """The stricter variant hides the same cells whatever was answered."""
    tables = []
    for turn, name in ((0, "one"), (1, "two")):
        with Ledger.open(name, tmp_path) as ledger:
            tables.append([
                publish_means(
                    behind(r.assign(score=6 - r["score"]) if turn else r, counts=True), ledger=ledger
                ).table["shown"].tolist()
                for r in scenario.releases
            ])  # fmt: skip
    assert tables[0] == tables[1]
