"""Data and calls for the laws."""

from svcmetrics.measure import cases, passages
from tests.laws import Sample
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

_STUDY = {"services": SERVICES, "steps": STEPS}
# Measures of cases take the cases themselves, too; what the events make of them has its own tests.
_CASES = cases(SMALL, **_STUDY, calendar=CALENDAR)


def _of_events(**arguments) -> Sample:
    return Sample(SMALL, arguments, fixed_names=True)


def _of_cases(**arguments) -> Sample:
    return Sample(_CASES, arguments, fixed_names=True)


SAMPLES: dict[str, Sample] = {
    "automatic": _of_events(steps=STEPS),
    "duration": _of_events(of="gap", by="action"),
    "first_pass": _of_cases(services=SERVICES),
    "log_check": _of_events(),
    "on_time": _of_cases(services=SERVICES),
    "rejections": _of_events(),
    "responsibility": Sample(
        passages(SMALL, **_STUDY, calendar=CALENDAR),
        {"services": SERVICES, "steps": STEPS.assign(role_weight=[0.5, 0.2, 0.3, 1.0, 1.0]), "calendar": CALENDAR},
        fixed_names=True,
    ),
    "returns": _of_events(**_STUDY),
    "time_ratio": _of_cases(services=SERVICES),
    "volume": _of_events(),
}
