"""The keys of a report file that name who else took part, beside the observer.

Cites: PS3.3 C.17.2 Participant Sequence, Table C.17-3b.
"""

from __future__ import annotations

from sr.document.declaration import Form, Key, Kind
from sr.document.observer import ParticipationType

__all__ = ["PARTICIPANTS", "PERSON"]

_NAME = Key(
    name="name",
    kind=Kind.PERSON_NAME,
    required=True,
    about="the person's name",
    example='"Meier^Anna"',
)
_WHERE = (
    Key(name="organization", vr="LO", about="hospital or practice", example='"Klinikum"'),
    Key(name="department", vr="LO", about="department", example='"Radiologie"'),
)
PERSON = (_NAME, *_WHERE)
"""Who somebody is, observer or not."""

_WHEN = Key(name="when", vr="DT", about="when, with offset", example='"20261120091500+0100"')
PARTICIPANTS = (
    Form(
        name="name",
        about="a person who took part as well",
        keys=(
            _NAME,
            Key(
                name="type",
                kind=Kind.TERM,
                terms={"ENT": ParticipationType.ENT, "ATTEST": ParticipationType.ATTEST},
                default="ENT",
                about="ENT entered it, ATTEST answered for it before approval",
                example='"ENT"',
            ),
            _WHEN,
            *_WHERE,
        ),
    ),
    Form(
        name="device_uid",
        about="equipment that contributed content",
        keys=(
            Key(name="device_uid", vr="UI", required=True, about="Device UID", example='"2.25.7"'),
            Key(
                name="manufacturer",
                vr="LO",
                required=True,
                about="its manufacturer",
                example='"ACME"',
            ),
            Key(name="model", vr="LO", required=True, about="its model", example='"CAD 7"'),
            _WHEN,
            Key(name="station_name", vr="SH", about="its station name", example='"CAD1"'),
        ),
    ),
)
"""A person, told by its name, or equipment, told by its UID."""
