"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from svcmetrics.measure import cases, passages
from tests.laws import Sample
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS, asked, two_years

_STUDY = {"services": SERVICES, "steps": STEPS}
# Measures of cases take the cases themselves, too; what the events make of them has its own tests.
_CASES = cases(SMALL, **_STUDY, calendar=CALENDAR)
_YEARS, _BOOK = two_years()
_COUNTS = pd.DataFrame(
    {"unit": list("ABCDEF"), "late": [9, 11, 10, 8, 25, 0], "cases": [90, 110, 95, 80, 100, 30]}
)


def _of_events(**arguments) -> Sample:
    return Sample(SMALL, arguments, fixed_names=True)


def _of_cases(**arguments) -> Sample:
    return Sample(_CASES, arguments, fixed_names=True)


def _months() -> pd.DataFrame:
    """Returns and outputs of three departments over a year; one month is bad."""
    rng = np.random.default_rng(11)
    rows = pd.DataFrame(
        {"unit": np.repeat(["人力", "财务", "IT"], 12), "month": list(range(1, 13)) * 3}
    )
    rows["outputs"] = rng.integers(40, 90, len(rows))
    rows["returns"] = rng.poisson(0.08 * rows["outputs"])
    rows.loc[17, "returns"] = 25
    return rows


MONTHS = _months()

SAMPLES: dict[str, Sample] = {
    "automatic": _of_events(steps=STEPS),
    "control": Sample(
        MONTHS,
        {"value": "returns", "size": "outputs", "at": "month", "chart": "u", "by": "unit"},
        score="returns",
    ),
    "duration": _of_events(of="gap", by="action"),
    "first_pass": _of_cases(services=SERVICES),
    "funnel": Sample(_COUNTS, {"group": "unit", "count": "late", "size": "cases"}, score="late"),
    "log_check": _of_events(),
    "loops": _of_events(**_STUDY),
    "on_time": _of_cases(services=SERVICES),
    "pooled": Sample(
        pd.DataFrame(
            {
                "unit_id": ["HR", "FIN", "HR", "IT"],
                "service_id": ["PAY", "PAY", "PAY", "IT1"],
                "step_no": [1, 2, 3, 1],
                "estimate": [10.0, 6.0, 2.0, 4.0],
                "low": [8.0, 5.0, 1.0, 3.0],
                "high": [13.0, 8.0, 4.0, 5.0],
                "n": [100, 100, 50, 50],
            }
        ),
        {"steps": STEPS.assign(role_weight=[0.5, 0.2, 0.3, 1.0, 1.0])},
        fixed_names=True,
        score="estimate",
    ),
    "reasons": Sample(
        SMALL.assign(reason_code="资料不全"), {"services": SERVICES, "rare": 1}, fixed_names=True
    ),
    "rejections": _of_events(),
    "requester_input": Sample(asked(), {"by": "requester_unit_id"}, fixed_names=True),
    "responsibility": Sample(
        passages(SMALL, **_STUDY, calendar=CALENDAR),
        {
            "services": SERVICES,
            "steps": STEPS.assign(role_weight=[0.5, 0.2, 0.3, 1.0, 1.0]),
            "calendar": CALENDAR,
        },
        fixed_names=True,
    ),
    "returns": _of_events(**_STUDY),
    "shortening": Sample(cases(_YEARS, services=_BOOK), {"services": _BOOK}, fixed_names=True),
    "standardised": Sample(cases(_YEARS, services=_BOOK), {"services": _BOOK}, fixed_names=True),
    "survival": _of_cases(services=SERVICES),
    "time_ratio": _of_cases(services=SERVICES),
    "time_use": _of_events(**_STUDY),
    "volume": _of_events(),
}
