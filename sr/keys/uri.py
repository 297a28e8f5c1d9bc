"""Key URIs: the text that names a key and may be stored, shown and logged.

First stage of ``open_signer``. Invariants: a parsed URI never holds a secret, ``pin-value`` is
refused, and no error quotes an attribute's value, so that a PIN typed in the wrong place is not
repeated. Nothing is opened here.

Cites: RFC 7512.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from sr.errors import ConfigurationError

__all__ = ["PKCS11URI", "PKCS12URI", "FileURI", "KeyURI", "parse_key_uri"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_HINT = "file:author.key, pkcs12:author.p12 or pkcs11:token=…;object=…"

# RFC 7512 2.3; a query may hold what a path may not, and the reverse holds for "&".
_VALUE = r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=%s]|%%[0-9A-Fa-f]{2})*"
_PATH_VALUE = re.compile(_VALUE % "&")
_QUERY_VALUE = re.compile(_VALUE % "/?|")

_PATH_FIELDS = {
    "token": "token",
    "manufacturer": "manufacturer",
    "model": "model",
    "serial": "serial",
    "object": "object_label",
    "id": "object_id",
    "slot-id": "slot_id",
    "type": "type",
}
_QUERY_FIELDS = {
    "pin-source": "pin_source",
    "module-path": "module_path",
    "x-softhsm2-conf": "softhsm2_conf",
}
_SAFE = ":[]@!$'()*+,=&"
_SAFE_QUERY = ":[]@!$'()*+,=/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileURI:
    """A private key in a file.

    Cites: RFC 8089.
    """

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PKCS12URI:
    """A private key with its certificates in a PKCS #12 file.

    Cites: RFC 7292.
    """

    path: Path

    def __str__(self) -> str:
        return f"pkcs12:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PKCS11URI:
    """A private key on a token; an attribute that is ``None`` matches anything.

    Cites: RFC 7512 2.3.
    """

    token: str | None = None
    """Label of the token."""
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    slot_id: int | None = None
    object_label: str | None = None
    """Label of the key and its certificate (``object``)."""
    object_id: bytes | None = None
    """Identifier that key and certificate share (``id``)."""
    pin_source: Path | None = None
    """File that holds the PIN."""
    module_path: Path | None = None
    """Shared library that speaks PKCS #11."""
    softhsm2_conf: Path | None = None
    """Vendor attribute: configuration that selects one of several SoftHSM stores."""

    def __str__(self) -> str:
        path = [
            ("token", _quoted(self.token)),
            ("manufacturer", _quoted(self.manufacturer)),
            ("model", _quoted(self.model)),
            ("serial", _quoted(self.serial)),
            ("slot-id", None if self.slot_id is None else str(self.slot_id)),
            ("object", _quoted(self.object_label)),
            ("id", None if self.object_id is None else _percent(self.object_id)),
        ]
        query = [
            ("module-path", _quoted_path(self.module_path)),
            ("pin-source", _quoted_path(self.pin_source)),
            ("x-softhsm2-conf", _quoted_path(self.softhsm2_conf)),
        ]
        text = ";".join(f"{name}={value}" for name, value in path if value is not None)
        tail = "&".join(f"{name}={value}" for name, value in query if value is not None)
        return f"pkcs11:{text}" + (f"?{tail}" if tail else "")


KeyURI = FileURI | PKCS12URI | PKCS11URI


def parse_key_uri(text: str) -> KeyURI:
    """Return the key URI as a value.

    ``file:`` and ``pkcs12:`` take a path as the file system knows it; with two slashes after the
    colon they are RFC 8089 URIs and are percent-decoded.

    Raises:
        ConfigurationError: It is not a key URI, or holds a PIN.

    Cites: RFC 7512 2.3; RFC 8089 2.
    """
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise ConfigurationError("the key is not a URI with a scheme", hint=_HINT)
    scheme, rest = match[1].lower(), match[2]
    parse = _PARSERS.get(scheme)
    if parse is None:
        raise ConfigurationError(f"keys of scheme {scheme!r} are not known", hint=_HINT)
    return parse(rest)


def _parse_file(rest: str) -> FileURI:
    return FileURI(path=_file_path(rest, "file"))


def _parse_pkcs12(rest: str) -> PKCS12URI:
    return PKCS12URI(path=_file_path(rest, "pkcs12"))


def _parse_session(_rest: str) -> KeyURI:
    raise ConfigurationError(
        "a session: key signs elsewhere, so there is nothing to open here",
        hint="prepare and complete a signing session instead",
    )


def _parse_pkcs11(rest: str) -> PKCS11URI:
    path, _, query = rest.partition("?")
    given = _attributes(path, ";", _PATH_FIELDS, _PATH_VALUE)
    # Only the first "?" separates; a later one is part of a query value.
    given |= _attributes(query, "&", _QUERY_FIELDS, _QUERY_VALUE)
    if given.pop("type", b"private") != b"private":
        raise ConfigurationError(
            "the pkcs11 URI names an object that is not a private key",
            hint="leave 'type' out, or say type=private",
        )
    identifier = given.pop("object_id", None)
    fields = {name: _text(name, value) for name, value in given.items()}
    return PKCS11URI(
        token=fields.get("token"),
        manufacturer=fields.get("manufacturer"),
        model=fields.get("model"),
        serial=fields.get("serial"),
        slot_id=_slot(fields.get("slot_id")),
        object_label=fields.get("object_label"),
        object_id=identifier,
        pin_source=_source(fields.get("pin_source")),
        module_path=_absolute("module-path", fields.get("module_path")),
        softhsm2_conf=_absolute("x-softhsm2-conf", fields.get("softhsm2_conf")),
    )


_PARSERS: dict[str, Callable[[str], KeyURI]] = {
    "file": _parse_file,
    "pkcs12": _parse_pkcs12,
    "pkcs11": _parse_pkcs11,
    "session": _parse_session,
}


def _attributes(
    text: str, separator: str, known: dict[str, str], syntax: re.Pattern[str]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in text.split(separator) if text else ():
        name, equals, value = attribute.partition("=")
        if name == "pin-value":
            raise ConfigurationError(
                "a PIN in a key URI is refused: URIs are stored and logged",
                hint="name a file with pin-source=, or wait to be asked",
            )
        field = known.get(name) if equals else None
        if field is None:
            raise _unknown(name, equals)
        if field in found:
            raise ConfigurationError(f"the pkcs11 URI has {name!r} twice")
        if not value or syntax.fullmatch(value) is None:
            raise ConfigurationError(
                f"the value of {name!r} in the pkcs11 URI is empty or not percent-encoded",
                hint="write a blank as %20, a semicolon as %3B",
            )
        found[field] = unquote_to_bytes(value)
    return found


def _unknown(name: str, equals: str) -> ConfigurationError:
    # Unknown attributes are refused, since to ignore one would widen what the URI matches.
    if not equals or re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name) is None:
        return ConfigurationError("the pkcs11 URI has an attribute that is not name=value")
    known = (*_PATH_FIELDS, *_QUERY_FIELDS)
    if name in known:
        return ConfigurationError(
            f"{name!r} stands on the wrong side of the question mark in the pkcs11 URI",
            hint="the key comes first, separated by ';', then '?', then the rest with '&'",
        )
    return ConfigurationError(
        f"the pkcs11 URI attribute {name!r} is not supported", hint=", ".join(known)
    )


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name!r} in the pkcs11 URI is not UTF-8") from error
    if not text.isprintable():
        raise ConfigurationError(f"{name!r} in the pkcs11 URI has control characters")
    return text


def _slot(text: str | None) -> int | None:
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,19}", text) is None:
        raise ConfigurationError("'slot-id' in the pkcs11 URI is not a number")
    return int(text)


def _source(text: str | None) -> Path | None:
    if text is None:
        return None
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", text)
    if text.startswith("|") or (scheme and scheme[1] != "file"):
        raise ConfigurationError(
            "'pin-source' in the pkcs11 URI is not a file", hint="pin-source=file:/path/to/pin"
        )
    return _file_path(text.removeprefix("file:"), "pin-source")


def _absolute(name: str, text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if not path.is_absolute():
        raise ConfigurationError(f"{name!r} in the pkcs11 URI is not an absolute path")
    return path


def _file_path(rest: str, what: str) -> Path:
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost") or not slash or re.search(r"%(?![0-9A-Fa-f]{2})", path):
            raise ConfigurationError(
                f"the {what} URI does not name a file on this machine",
                hint=f"{what}:relative/path or {what}:///absolute/path",
            )
        rest = "/" + _text(what, unquote_to_bytes(path))
    if not rest or "\0" in rest:
        raise ConfigurationError(f"the {what} URI names no file")
    return Path(rest)


def _quoted(text: str | None) -> str | None:
    return None if text is None else quote(text, safe=_SAFE)


def _quoted_path(path: Path | None) -> str | None:
    return None if path is None else quote(str(path), safe=_SAFE_QUERY)


def _percent(value: bytes) -> str:
    # The RFC recommends every byte of an identifier to be encoded, letters too.
    return "".join(f"%{byte:02x}" for byte in value)
