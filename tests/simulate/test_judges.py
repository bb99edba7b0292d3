"""Judges agree around the true weights, except for one; experts see the ill item."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def study(small):
    return small


@pytest.fixture
def truth(small_truth):
    return small_truth


def _matrix(rows: pd.DataFrame, nodes: list[str]) -> np.ndarray:
    matrix = np.ones((len(nodes), len(nodes)))
    for a, b, v in zip(rows["node_a"], rows["node_b"], rows["value"]):
        matrix[nodes.index(a), nodes.index(b)] = v
        matrix[nodes.index(b), nodes.index(a)] = 1 / v
    return matrix


def test_comparisons_give_back_the_weights_and_the_inconsistent_judge(study, truth):
    nodes = list(truth["weights"])
    pairs = study.judgement[study.judgement["method"] == "ahp"]
    logs = {j: np.log(_matrix(rows, nodes)) for j, rows in pairs.groupby("judge_key")}
    assert len(logs) == 12
    means = {j: m.mean(axis=1) for j, m in logs.items()}
    residual = {
        j: np.abs(m - (means[j][:, None] - means[j][None, :])).max() for j, m in logs.items()
    }
    assert max(residual, key=residual.get) == truth["judges"]["inconsistent"]
    joint = np.exp(np.median([means[j] for j in means], axis=0))
    assert joint / joint.sum() == pytest.approx(list(truth["weights"].values()), abs=0.06)
    assert pairs["value"].between(1 / 9, 9).all()


def test_points_share_out_a_hundred(study):
    points = study.judgement[study.judgement["method"] == "points"]
    assert (points.groupby("judge_key")["value"].sum() == 100).all()


def test_frozen_weights_sum_to_one(study):
    assert study.weight["weight"].sum() == pytest.approx(1)
    assert (study.weight["low"] < study.weight["weight"]).all()
    assert study.weight["digest"].str.fullmatch("[0-9a-f]{64}").all()


def test_experts_find_the_ill_item_irrelevant(study, truth):
    first = study.relevance[study.relevance["form_version"] == "F1"]
    content = first["relevance"].isin(["3", "4"]).groupby(first["item_id"]).mean()
    assert content.idxmin() == truth["ill_item"]["item_id"]
    assert content.drop(truth["ill_item"]["item_id"]).min() >= 0.75
    second = study.relevance[study.relevance["form_version"] == "F2"]
    assert set(second["relevance"]) <= {"essential", "useful", "not_necessary"}
