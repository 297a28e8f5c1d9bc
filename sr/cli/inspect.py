"""``srsign inspect``: what is in a file, without any judgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sr.cli.command import register
from sr.cli.shell import Shell, printable

__all__ = ["add_commands"]

_EXAMPLES = """
srsign inspect report.dcm
srsign inspect report.dcm --json
"""
_AT_MOST = 12


def add_commands(app: typer.Typer) -> None:
    """Add ``inspect``."""
    register(app, "inspect", examples=_EXAMPLES)(inspect)


def inspect(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Document or image.")],
) -> None:
    """Show signatures, what they cover, certificates and references; judge nothing.

    A file that looks well here may be altered, and its signer unknown: srsign check says so.
    """
    from sr.app.checks.inspect import inspect_file

    found = inspect_file(file)
    if shell.json:
        shell.print_object(found)
    else:
        shell.print(printable(line) for line in _lines(found, whole=shell.verbose))


def _lines(found: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    yield f"{found['subject']}: {found['bytes']} bytes, nothing judged"
    yield from _rows(
        ("SOP class", found["sop_class_uid"]),
        ("instance", found["sop_instance_uid"]),
        ("syntax", found["transfer_syntax_uid"]),
        ("patient", " · ".join(filter(None, found["patient"].values()))),
    )
    if found["document"] is not None:
        yield from _document(found["document"])
    for signature in found["signatures"]:
        yield from _signature(signature, whole=whole)
    yield from _references(found["references"], whole=whole)
    yield from _listed("structure", [_said(one) for one in found["structure"]], whole=whole)
    covered = "no signature covers" if found["signatures"] else "not signed"
    yield from _listed(covered, found["uncovered"], whole=whole)


def _rows(*rows: tuple[str, object]) -> Iterator[str]:
    for label, value in rows:
        if value:
            yield f"  {label:<12} {value}"


def _document(document: Mapping[str, Any]) -> Iterator[str]:
    flags = (document[f"{name}_flag"] for name in ("completion", "preliminary", "verification"))
    observers = document["observers"]
    yield from _rows(
        ("title", _code(document["title"])),
        ("flags", " · ".join(filter(None, flags))),
        ("content", document["content_date_time"]),
        ("author", "; ".join(observers["author"])),
        ("verifying", "; ".join(observers["verifying"])),
    )


def _signature(signature: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    location = f" at {signature['location']}" if signature["location"] else ""
    yield ""
    yield f"signature {signature['number']}{location}: {_code(signature['purpose'])}"
    certificate = signature["certificate"]
    yield from _rows(
        ("UID", signature["digital_signature_uid"]),
        ("claimed", signature["claimed_at"]),
        ("covers", f"{len(signature['covers'])} elements, {signature['mac_algorithm']}"),
        ("time-stamp", _timestamp(signature)),
    )
    if "unreadable" in certificate:
        yield from _rows(("certificate", f"unreadable: {certificate['unreadable']}"))
    else:
        key = certificate["key"]
        yield from _rows(
            ("subject", certificate["subject"]),
            ("issuer", certificate["issuer"]),
            ("serial", certificate["serial"]),
            ("SHA-256", certificate["sha256"]),
            ("valid", f"{certificate['not_before']} to {certificate['not_after']}"),
            ("key", f"{key['kind']} {key['bits']}" if key else "unreadable"),
        )
    if whole:
        yield from _rows(("elements", " ".join(signature["covers"])))
    for one in signature["structure"]:
        yield from _rows(("structure", _said(one)))


def _timestamp(signature: Mapping[str, Any]) -> str | None:
    kind, said = signature["timestamp_type"], signature["timestamp"]
    if said is None:
        return f"{kind}, absent" if kind else None
    if "unreadable" in said:
        return f"{kind or 'no type'}, unreadable: {said['unreadable']}"
    authority = said["authority"]["subject"] if said["authority"] else "an unknown authority"
    return f"{kind or 'no type'}, {said['generated_at']} by {authority}"


def _references(references: Sequence[Mapping[str, Any]], *, whole: bool) -> Iterator[str]:
    lines = [f"{reference['sop_instance_uid']}  {_proofs(reference)}" for reference in references]
    yield from _listed(f"{len(references)} references", lines, whole=whole)


def _proofs(reference: Mapping[str, Any]) -> str:
    proofs = [f"MAC {mac['algorithm']} over {mac['elements']}" for mac in reference["macs"]]
    proofs += ["signature" for _ in reference["digital_signature_uids"]]
    return ", ".join(proofs) or "no proof"


def _listed(title: str, lines: Sequence[str], *, whole: bool) -> Iterator[str]:
    if not lines:
        return
    shown = lines if whole else lines[:_AT_MOST]
    yield ""
    yield title
    for line in shown:
        yield f"  {line}"
    if len(shown) < len(lines):
        yield f"  … and {len(lines) - len(shown)} more (-v lists them)"


def _code(code: Mapping[str, str] | None) -> str:
    return f"{code['meaning']} ({code['code']}, {code['scheme']})" if code else "no code"


def _said(statement: Mapping[str, str | None]) -> str:
    place = f" [{statement['where']}]" if statement["where"] else ""
    return f"{statement['rule']}: {statement['message']}{place}"
