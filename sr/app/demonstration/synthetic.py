"""A synthetic CT chest series: valid images of nobody, for the demo and for tests.

The pictures are an analytic phantom (body, lungs, spine, one nodule), so that a change of a pixel
can be shown. UIDs and times are arguments; equal arguments give equal bytes.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from pydicom.dataset import Dataset

from sr.document.identity import format_date, format_offset, format_time
from sr.document.part10 import write_part10

__all__ = ["SYNTHETIC_PATIENT", "synthetic_ct_series"]

SYNTHETIC_PATIENT = {
    "PatientName": "Müller^Jördis",
    "PatientID": "SRSIGN-4711",
    "IssuerOfPatientID": "srsign demo",
    "PatientBirthDate": "19610314",
    "PatientSex": "F",
}

_CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_SIZE = 128
_SLICE_THICKNESS = 5.0
_OFFSET = 1024

_ELLIPSES = (
    # centre x, centre y, half axes, Hounsfield units
    (64.0, 66.0, 54.0, 40.0, 40),
    (42.0, 62.0, 19.0, 27.0, -850),
    (86.0, 62.0, 19.0, 27.0, -850),
    (66.0, 58.0, 9.0, 13.0, 50),
    (64.0, 95.0, 8.0, 8.0, 400),
)
_NODULE = (89.0, 55.0, 4.0, 60)
"""Centre x, centre y, radius in the middle slice, Hounsfield units."""


def synthetic_ct_series(
    count: int,
    *,
    new_uid: Callable[[], str],
    now: datetime,
    patient: Mapping[str, str] = SYNTHETIC_PATIENT,
) -> tuple[bytes, ...]:
    """Return the files of one CT series.

    Args:
        count: Number of slices.
        new_uid: Returns a new UID each time; asked for study, series, frame of reference, then
            one a slice.
        now: Aware time of the acquisition.
        patient: Somebody who does not exist, by keyword of the attribute.
    """
    study, series, frame = new_uid(), new_uid(), new_uid()
    return tuple(
        write_part10(_slice(number, count, now, patient, (study, series, frame, new_uid())))
        for number in range(1, count + 1)
    )


def _slice(
    number: int,
    count: int,
    now: datetime,
    patient: Mapping[str, str],
    uids: tuple[str, str, str, str],
) -> Dataset:
    position = f"{-_SLICE_THICKNESS * (number - 1):g}"
    dataset = Dataset()
    for keyword, value in (
        _identity(*uids)
        | _times(now)
        | dict(patient)
        | _CONSTANT
        | {
            "InstanceNumber": str(number),
            "SliceLocation": position,
            "ImagePositionPatient": ["-160", "-160", position],
            "PixelData": _pixels(number, count),
        }
    ).items():
        setattr(dataset, keyword, value)
    return dataset


def _identity(study: str, series: str, frame: str, instance: str) -> dict[str, Any]:
    return {
        "SOPClassUID": _CT_IMAGE_STORAGE,
        "SOPInstanceUID": instance,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "FrameOfReferenceUID": frame,
    }


def _times(now: datetime) -> dict[str, Any]:
    dates = ("InstanceCreationDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
    values = {keyword: format_date(now) for keyword in dates}
    values |= {keyword.replace("Date", "Time"): format_time(now) for keyword in dates}
    return values | {"TimezoneOffsetFromUTC": format_offset(now)}


_CONSTANT: dict[str, Any] = {
    "SpecificCharacterSet": "ISO_IR 192",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "AccessionNumber": "A-2026-0815",
    "Modality": "CT",
    "Manufacturer": "srsign synthetic",
    "ManufacturerModelName": "Analytic phantom",
    "SoftwareVersions": "1",
    "ReferringPhysicianName": "Weiß^Jürgen^^Dr.",
    "StudyDescription": "CT Thorax",
    "SeriesDescription": "Thorax axial 5.0",
    "BodyPartExamined": "CHEST",
    "SliceThickness": "5",
    "KVP": "120",
    "PatientPosition": "HFS",
    "StudyID": "1",
    "SeriesNumber": "2",
    "AcquisitionNumber": "1",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "PositionReferenceIndicator": "",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": _SIZE,
    "Columns": _SIZE,
    "PixelSpacing": ["2.5", "2.5"],
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "WindowCenter": "-400",
    "WindowWidth": "1500",
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
}


def _pixels(number: int, count: int) -> bytes:
    values = array("H", _body())
    centre_x, centre_y, radius, hounsfield = _NODULE
    distance = 2.0 * (number - (count + 1) / 2)
    for index in range(_SIZE * _SIZE):
        y, x = divmod(index, _SIZE)
        if (x - centre_x) ** 2 + (y - centre_y) ** 2 + distance**2 <= radius**2:
            values[index] = hounsfield + _OFFSET
        values[index] += (3 * x + 5 * y + 7 * number) % 11
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


@cache
def _body() -> tuple[int, ...]:
    """Return the stored values of everything but the nodule."""
    return tuple(_tissue(*reversed(divmod(i, _SIZE))) + _OFFSET for i in range(_SIZE * _SIZE))


def _tissue(x: int, y: int) -> int:
    hounsfield = -1000
    for centre_x, centre_y, half_x, half_y, value in _ELLIPSES:
        if ((x - centre_x) / half_x) ** 2 + ((y - centre_y) / half_y) ** 2 <= 1:
            hounsfield = value
    return hounsfield
