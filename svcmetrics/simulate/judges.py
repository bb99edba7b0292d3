"""The questionnaire, and what experts think of it: items, relevance, weights."""

from __future__ import annotations

import hashlib
import hmac
import itertools

import numpy as np
import pandas as pd

from svcmetrics.simulate.catalogue import catalogue
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.planted import DIMENSIONS, TRUE_WEIGHTS

JUDGES = 12
INCONSISTENT = 7  # the judge whose comparisons contradict one another
EXPERTS = 8
PANEL = 10  # judges of the revised form, in words
_NOISE = 0.25
_WHEN = "2024-11-18T10:00:00+08:00"


def item_table() -> pd.DataFrame:
    """The form in use (F1) and its draft revision (F2)."""
    rows = [
        {
            "form_version": i["form"], "item_id": i["id"], "dimension": i["dimension"], "aspect": i["aspect"],
            "text_zh": i["zh"], "text_en": i["en"], "min": 1, "max": 5, "reversed": False, "anchors": i["anchors"],
            "source": "自编 own",
        }
        for i in catalogue()["item"]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def judgement_table(company: Company) -> pd.DataFrame:
    """A dozen judges: pairwise comparisons on the 1–9 scale, then a hundred points to share out."""
    rng, log = company.rng(5), np.log(TRUE_WEIGHTS)
    rows: list[tuple[object, ...]] = []
    for j in range(JUDGES):
        key = judge_key(company, j)
        noise = 1.3 if j == INCONSISTENT else _NOISE
        for a, b in itertools.combinations(range(len(DIMENSIONS)), 2):
            ratio = np.exp(log[a] - log[b] + rng.normal(0, noise))
            value = round(ratio) if ratio >= 1 else 1 / round(1 / ratio)
            rows.append(
                (
                    "ahp-2024",
                    key,
                    DIMENSIONS[a],
                    DIMENSIONS[b],
                    "ahp",
                    float(np.clip(value, 1 / 9, 9)),
                    _WHEN,
                )
            )
        points = np.exp(log + rng.normal(0, 0.15, len(log)))
        for d, value in zip(DIMENSIONS, _hundred(points)):
            rows.append(("points-2024", key, d, None, "points", float(value), _WHEN))
    names = ["set_id", "judge_key", "node_a", "node_b", "method", "value", "at"]
    return pd.DataFrame(rows, columns=names).sort_values(
        ["set_id", "judge_key"], kind="stable", ignore_index=True
    )


def weight_table() -> pd.DataFrame:
    """The weights frozen before the first wave: what the judges agreed on, not the truth."""
    weights, half = (0.32, 0.30, 0.18, 0.20), 0.05
    text = ";".join(f"{d}={w:.2f}" for d, w in zip(DIMENSIONS, weights))
    return pd.DataFrame({
        "set_id": "prior-2024", "node": DIMENSIONS, "parent": None, "weight": weights,
        "low": np.round(np.array(weights) - half, 2), "high": np.round(np.array(weights) + half, 2), "method": "ahp",
        "fitted_waves": None, "frozen_at": "2024-12-02T09:00:00+08:00",
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    })  # fmt: skip


def relevance_table(company: Company) -> pd.DataFrame:
    """Experts on the items: 1–4 for the form in use, words for its revision."""
    rng, rows = company.rng(6), []
    for item in catalogue()["item"]:
        for j in range(EXPERTS if item["form"] == "F1" else PANEL):
            if item["form"] == "F1":
                answer = str(
                    rng.choice(
                        [1, 2, 3, 4],
                        p=(0.2, 0.5, 0.2, 0.1) if item.get("ill") else (0, 0.04, 0.31, 0.65),
                    )
                )
            else:
                p = item["essential"]
                answer = str(
                    rng.choice(
                        ["essential", "useful", "not_necessary"],
                        p=(p, 0.6 * (1 - p), 0.4 * (1 - p)),
                    )
                )
            rows.append((item["form"], item["id"], judge_key(company, 100 + j), answer))
    return pd.DataFrame(rows, columns=["form_version", "item_id", "judge_key", "relevance"])


def judge_key(company: Company, number: int) -> str:
    """A pseudonym from the seed, of the same form as everywhere."""
    secret = hashlib.sha256(f"svcmetrics judges {company.seed}".encode()).digest()
    return hmac.new(secret, str(number).encode(), hashlib.sha256).hexdigest()[:24]


def _hundred(points: np.ndarray) -> np.ndarray:
    """Shares of a hundred in steps of five, none empty."""
    parts = np.maximum(np.round(points / points.sum() * 20), 1)
    parts[np.argmax(parts)] += 20 - parts.sum()
    return parts * 5
