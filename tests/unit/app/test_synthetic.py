"""The synthetic CT series."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import numpy as np
from pydicom import dcmread

from sr.app.demonstration.synthetic import synthetic_ct_series
from tests.support.datasets import NOW, uid_source


def _series(count: int = 4, hours: int = 0) -> tuple[bytes, ...]:
    return synthetic_ct_series(count, new_uid=uid_source(), now=NOW + timedelta(hours=hours))


def test_equal_arguments_give_equal_bytes() -> None:
    """UIDs and time decide everything."""
    assert _series() == _series()
    assert _series() != _series(hours=1)


def test_the_slices_are_one_series() -> None:
    """Study, series and frame of reference are shared; instances, numbers and places differ."""
    slices = [dcmread(BytesIO(data)) for data in _series()]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({s[keyword].value for s in slices}) == 1
    assert len({s.SOPInstanceUID for s in slices}) == 4
    assert [s.InstanceNumber for s in slices] == [1, 2, 3, 4]
    assert len({s.ImagePositionPatient[2] for s in slices}) == 4


def test_the_patient_is_nobody_with_an_umlaut() -> None:
    """The name exercises the character set."""
    dataset = dcmread(BytesIO(_series()[0]))
    assert dataset.PatientName == "Müller^Jördis"
    assert dataset.TimezoneOffsetFromUTC == "+0100"


def test_the_picture_shows_a_chest() -> None:
    """Air, lung, soft tissue and bone are where they belong, and the nodule in the middle."""
    middle = dcmread(BytesIO(_series(5)[2]))
    hounsfield = middle.pixel_array.astype(np.int32) - 1024
    assert hounsfield[2, 2] < -950
    assert -900 < hounsfield[62, 42] < -800
    assert 350 < hounsfield[95, 64] < 450
    assert 50 < hounsfield[55, 89] < 80
    assert hounsfield[55, 39] < -800


def test_the_nodule_ends() -> None:
    """Slices differ, so altering or swapping one shows."""
    first, middle = (dcmread(BytesIO(d)).pixel_array.astype(np.int32) for d in _series(5)[:3:2])
    assert abs(int(first[55, 89]) - int(middle[55, 89])) < 30 or first[55, 89] < middle[55, 89]
    assert (first != middle).any()


def test_no_series_of_nothing() -> None:
    """Zero slices are zero files."""
    assert _series(0) == ()
