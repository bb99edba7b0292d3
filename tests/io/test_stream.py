"""Parts that are read ahead come as they would have come without."""

import threading
from contextlib import closing

import pytest

from svcmetrics.io import stream


def test_parts_come_in_order_and_one_is_read_ahead():
    here, taken = threading.get_ident(), []

    def parts():
        for n in range(5):
            taken.append(n)
            assert threading.get_ident() != here
            yield n

    with closing(stream.ahead(parts())) as found:
        assert next(found) == 0
        assert list(found) == [1, 2, 3, 4]
    assert taken == [0, 1, 2, 3, 4]
    assert list(stream.ahead(iter(()))) == []


def test_an_error_of_the_reading_is_told_where_its_part_would_have_come():
    def parts():
        yield 1
        raise OSError("damaged")

    found = stream.ahead(parts())
    assert next(found) == 1
    with pytest.raises(OSError, match="damaged"):
        next(found)


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    with closing(stream.ahead(iter(range(9)))) as found:
        next(found)
    assert threading.active_count() == before
