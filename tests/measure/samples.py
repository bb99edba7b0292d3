"""Data and calls for the laws."""

from tests.laws import Sample
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

_STUDY = {"services": SERVICES, "steps": STEPS}


def _sample(**arguments) -> Sample:
    return Sample(SMALL, arguments, fixed_names=True)


SAMPLES: dict[str, Sample] = {
    "automatic": _sample(steps=STEPS),
    "duration": _sample(calendar=CALENDAR),
    "first_pass": _sample(**_STUDY),
    "log_check": _sample(**_STUDY, calendar=CALENDAR),
    "on_time": _sample(**_STUDY, calendar=CALENDAR),
    "rejections": _sample(),
    "returns": _sample(**_STUDY),
    "time_ratio": _sample(**_STUDY, calendar=CALENDAR),
    "volume": _sample(),
}
