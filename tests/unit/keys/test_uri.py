"""Key URIs: what is read, what is refused, and that nothing refused is repeated."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.errors import ConfigurationError
from sr.keys.uri import PKCS11URI, PKCS12URI, FileURI, parse_key_uri
from tests.support.canary import PIN_CANARY as CANARY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file:author.key", FileURI(path=Path("author.key"))),
        ("file:/keys/a b.key", FileURI(path=Path("/keys/a b.key"))),
        ("file:100%.key", FileURI(path=Path("100%.key"))),
        ("file:///keys/a%20b.key", FileURI(path=Path("/keys/a b.key"))),
        ("file://localhost/a.key", FileURI(path=Path("/a.key"))),
        ("FILE:a.key", FileURI(path=Path("a.key"))),
        ("pkcs12:author.p12", PKCS12URI(path=Path("author.p12"))),
        ("pkcs11:", PKCS11URI()),
        ("pkcs11:token=a?", PKCS11URI(token="a")),
        (
            "pkcs11:token=My%20Card;object=author;id=%8f%00%3b",
            PKCS11URI(token="My Card", object_label="author", object_id=b"\x8f\0;"),
        ),
        (
            "pkcs11:model=SoftHSM%20v2;manufacturer=M;serial=33d6;slot-id=7;type=private",
            PKCS11URI(model="SoftHSM v2", manufacturer="M", serial="33d6", slot_id=7),
        ),
        ("pkcs11:object=M%C3%BCller", PKCS11URI(object_label="Müller")),
        ("pkcs11:object=a&b=c", PKCS11URI(object_label="a&b=c")),
        ("pkcs11:?pin-source=file:/run/pin", PKCS11URI(pin_source=Path("/run/pin"))),
        ("pkcs11:?pin-source=file:///a%2520b", PKCS11URI(pin_source=Path("/a b"))),
        ("pkcs11:?pin-source=/run/pin", PKCS11URI(pin_source=Path("/run/pin"))),
        ("pkcs11:?pin-source=pin.txt", PKCS11URI(pin_source=Path("pin.txt"))),
        ("pkcs11:?module-path=/usr/lib/x.so", PKCS11URI(module_path=Path("/usr/lib/x.so"))),
        (
            "pkcs11:token=t?module-path=/m.so&pin-source=/p&x-softhsm2-conf=/c",
            PKCS11URI(
                token="t",
                module_path=Path("/m.so"),
                pin_source=Path("/p"),
                softhsm2_conf=Path("/c"),
            ),
        ),
    ],
)
def test_uris_that_are_read(text: str, expected: object) -> None:
    """Each form of a key URI becomes the value it means."""
    assert parse_key_uri(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "author.key",
        "/keys/author.key",
        "C\\author.key",
        ":x",
        "1file:x",
        "https://example.org/key",
        "session:",
        "session:abc",
        "file:",
        "file://",
        "file://otherhost/a.key",
        "file://a.key",
        "file:///a%2",
        "file:///a%ff.key",
        "file:a\0b",
        "pkcs12:",
        "pkcs12://host/a.p12",
        "pkcs11:token",
        "pkcs11:token=",
        "pkcs11:=x",
        "pkcs11:;",
        "pkcs11:token=a;",
        "pkcs11:token=a;;object=b",
        "pkcs11:token=a;token=a",
        "pkcs11:token=a b",
        "pkcs11:token=Müller",
        "pkcs11:token=%",
        "pkcs11:token=%8",
        "pkcs11:token=%zz",
        "pkcs11:token=%ff",
        "pkcs11:token=%00",
        "pkcs11:token=a%0ab",
        "pkcs11:token=a/b",
        "pkcs11:token=a#b",
        'pkcs11:token="a"',
        "pkcs11:id=",
        "pkcs11:id=%8",
        "pkcs11:Token=a",
        "pkcs11:label=a",
        "pkcs11:library-description=a",
        "pkcs11:x-vendor=a",
        "pkcs11:type=cert",
        "pkcs11:type=public",
        "pkcs11:slot-id=-1",
        "pkcs11:slot-id=one",
        "pkcs11:slot-id=" + "9" * 30,
        "pkcs11:module-path=/x.so",
        "pkcs11:token=a?object=b",
        "pkcs11:token=a?module-path=x.so",
        "pkcs11:token=a?module-path=/x.so;pin-source=/p",
        "pkcs11:token=a?module-name=softhsm2",
        "pkcs11:token=a?pin-source=",
        "pkcs11:token=a?pin-source=|cat",
        "pkcs11:token=a?pin-source=%7ccat",
        "pkcs11:token=a?pin-source=https://example.org/pin",
        "pkcs11:token=a?pin-source=file:",
        "pkcs11:token=a?pin-source=file://host/p",
        "pkcs11:token=a?x-softhsm2-conf=c",
    ],
)
def test_uris_that_are_refused(text: str) -> None:
    """What is not a complete, unambiguous key URI is refused."""
    with pytest.raises(ConfigurationError):
        parse_key_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        f"pkcs11:token=a?pin-value={CANARY}",
        f"pkcs11:token=a;pin-value={CANARY}",
        f"pkcs11:pin-value={CANARY}",
        f"pkcs11:token=a?pin-source=/p&pin-value={CANARY}",
        f"pkcs11:token=a?PIN-VALUE={CANARY}",
        f"pkcs11:token=a?pin={CANARY}",
        f"pkcs11:token=a?{CANARY}",
        f"pkcs11:token=a?pin-source=https:{CANARY}",
        f"pkcs11:token={CANARY}#;pin-value={CANARY}",
        f"pkcs11:slot-id={CANARY}",
        f"pkcs11:type={CANARY}",
        f"file://{CANARY}:pw@host",
        f"{CANARY}",
    ],
)
def test_a_pin_is_refused_and_not_repeated(text: str) -> None:
    """A PIN in a URI is refused, and no error message quotes a value."""
    with pytest.raises(ConfigurationError) as caught:
        parse_key_uri(text)
    assert CANARY not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


LABELS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(
    token=st.none() | LABELS,
    label=st.none() | LABELS,
    object_id=st.none() | st.binary(min_size=1, max_size=20),
    source=st.none() | LABELS,
)
def test_text_and_value_agree(
    token: str | None, label: str | None, object_id: bytes | None, source: str | None
) -> None:
    """The text of a PKCS #11 URI reads back as the same value, whatever the names are."""
    uri = PKCS11URI(
        token=token,
        object_label=label,
        object_id=object_id,
        pin_source=Path("/pins/" + source) if source else None,
    )
    assert parse_key_uri(str(uri)) == uri


@pytest.mark.parametrize("text", ["file:a.key", "pkcs12:a.p12", "file:/a/100%.key"])
def test_file_text_and_value_agree(text: str) -> None:
    """The text of a file URI is the one it was read from."""
    assert str(parse_key_uri(text)) == text


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in another way than with our error."""
    for prefix in ("", "file:", "pkcs12:", "pkcs11:", "pkcs11:?"):
        with suppress(ConfigurationError):
            parse_key_uri(prefix + text)
