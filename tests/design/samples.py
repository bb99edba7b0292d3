"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample


def panel(judges: int = 7, seed: int = 2) -> pd.DataFrame:
    """Ratings from 1 to 4 of six items by a panel of two sides, good items first."""
    rng = np.random.default_rng(seed)
    items = [f"题{k}" for k in range(1, 7)]
    rows = [(i, f"专家{j}", k) for k, i in enumerate(items) for j in range(judges)]
    level = np.array([3.7 - 0.35 * k for _, _, k in rows])
    rating = np.clip(np.round(level + rng.normal(0, 0.6, len(rows))), 1, 4).astype(int)
    side = ["服务方" if int(j[2:]) % 2 else "客户方" for _, j, _ in rows]
    return pd.DataFrame(
        {"i": [r[0] for r in rows], "j": [r[1] for r in rows], "r": rating, "side": side}
    )


CATALOGUE = pd.DataFrame(
    [
        ("工资发放", "service", "public_service", "routine", True, "每月重复"),
        ("合同审查", "service", "control", "routine", True, "每周重复"),
        ("系统开发", "software", "collaboration", "nonroutine", False, "项目管理"),
        ("办公用品", "hardware", "public_service", "routine", False, "采购流程"),
        ("停电抢修", "service", "public_service", "emergency", True, "单独报告"),
        ("月度报表", "processed_material", "collaboration", "routine", False, "流程指标"),
    ],
    columns=["name", "kind", "tie", "often", "inside", "why"],
)
_PANEL = {"item": "i", "judge": "j", "relevance": "r"}


def emergencies() -> pd.DataFrame:
    """Twenty leaks, one every other week, and a few special requests."""
    at = pd.Timestamp("2024-01-05 09:00") + pd.to_timedelta(14 * np.arange(20), "D")
    parts = [
        pd.DataFrame(
            {"at": at + pd.Timedelta(hours=h), "action": action, "step_no": step, "seq": k}
        )
        for k, (h, action, step) in enumerate(
            [(0, "submit", None), (2, "deliver", 1), (3, "deliver", 2), (4, "close", None)]
        )
    ]
    log = pd.concat([p.assign(case_id=[f"c{i}" for i in range(20)]) for p in parts])
    number = log["case_id"].str[1:].astype(int)
    log["service_id"] = np.where(number < 14, "漏水", "专项")
    return log.reset_index(drop=True)


SAMPLES: dict[str, Sample] = {
    "cvr": Sample(
        panel().assign(r=lambda t: t["r"].map({1: "不必要", 2: "有用", 3: "有用", 4: "必要"})), _PANEL
    ),
    "cvi": Sample(panel(), _PANEL, score="r"),
    "aiken_v": Sample(panel(), {**_PANEL, "panel": "side"}, score="r"),
    "promote": Sample(
        emergencies(),
        {
            "services": pd.DataFrame(
                {"service_id": ["漏水", "专项"], "routine": ["emergency", "nonroutine"]}
            )
        },
        fixed_names=True,
    ),
    "scope": Sample(
        CATALOGUE,
        {
            "service": "name", "output_kind": "kind", "relation": "tie", "routine": "often",
            "in_scope": "inside", "reason": "why",
        },
    ),
}  # fmt: skip
