"""Data and calls for the laws."""

from tests.laws import Sample

SAMPLES: dict[str, Sample] = {}
