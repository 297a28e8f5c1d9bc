"""Date-times of signatures: what DT says and leaves open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sr.errors import ConfigurationError
from sr.signature.moment import format_moment, parse_moment


@pytest.mark.parametrize(
    ("text", "at", "zone"),
    [
        ("20261120093015+0100", datetime(2026, 11, 20, 8, 30, 15, tzinfo=UTC), True),
        ("20261120093015.5-0330", datetime(2026, 11, 20, 13, 0, 15, 500000, tzinfo=UTC), True),
        ("20261120093015.123456+0000", datetime(2026, 11, 20, 9, 30, 15, 123456, UTC), True),
        ("20261120093015", datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC), False),
        ("202611200930", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), False),
        ("20261120", datetime(2026, 11, 20, tzinfo=UTC), False),
        ("202611", datetime(2026, 11, 1, tzinfo=UTC), False),
        ("2026", datetime(2026, 1, 1, tzinfo=UTC), False),
        ("2026+0100", datetime(2025, 12, 31, 23, tzinfo=UTC), True),
        ("20161231235960+0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), True),
        (" 20261120 ", datetime(2026, 11, 20, tzinfo=UTC), False),
        ("20261120093015+1400", datetime(2026, 11, 19, 19, 30, 15, tzinfo=UTC), True),
        ("20261120093015-1200", datetime(2026, 11, 20, 21, 30, 15, tzinfo=UTC), True),
        ("20261120093015+0059", datetime(2026, 11, 20, 8, 31, 15, tzinfo=UTC), True),
        ("20261120093015-0000", datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC), False),
    ],
)
def test_moments(text, at, zone):
    """Every precision of DT is read; without offset the digits count as UTC."""
    claimed = parse_moment(text)
    assert (claimed.at, claimed.zone_known, claimed.text) == (at, zone, text)


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-11-20", "20261320", "20260230", "2026112025", "202611200960",
        "20261120093061", "20261120093015.", "20261120093015.1234567", "20261120093015Z",
        "20261120093015+01", "20261120093015+9900", "20261120093015+0000+0000", "2026112",
        "20261120093015+1401", "20261120093015-1201", "20261120093015+1500", "20261120093015-1300",
        "20261120093015+0060", "20261120093015+0199", "20261120093015z", "20261120093015 +0000",
        "20261120093015\t", "20261120093015+00:00",
        "00000101", "99991231235959-1200", "\u0662\u0660\u0662\u0666", "20261120\n20261121",
    ],
)  # fmt: skip
def test_texts_that_are_no_moment(text):
    """What is no date-time gives no time, and does not raise."""
    claimed = parse_moment(text)
    assert claimed.at is None
    assert not claimed.zone_known


@pytest.mark.parametrize("hours", [-11, 0, 1, 14])
def test_written_in_utc(hours):
    """A moment is written in UTC with its offset, whatever zone it came in."""
    at = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone(timedelta(hours=hours)))
    text = format_moment(at)
    assert text.endswith("+0000")
    assert parse_moment(text).at == at


def test_a_time_without_zone_is_refused():
    """A naive time would mean whatever the computer's clock is set to."""
    with pytest.raises(ConfigurationError):
        format_moment(datetime(2026, 11, 20))  # noqa: DTZ001 - naive on purpose
