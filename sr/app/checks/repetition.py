"""Commands that let other programs repeat a check: DCMTK and OpenSSL beside ``srsign mac dump``.

Everything but the MAC stream is taken from the file by DCMTK and judged by OpenSSL, so that nobody
has to believe srsign. The commands are for bash with ``pipefail``; each fails where what it repeats
does not hold.

Cites: PS3.3 C.12.1.1.3; RFC 5280 6.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sr.dicomfile import format_tag
from sr.mac import MACAlgorithm
from sr.mac.selection import DIGITAL_SIGNATURES_SEQUENCE
from sr.signature.integrity import der_prefix, public_key_facts
from sr.signature.item import CERTIFICATE, SIGNATURE, TIMESTAMP
from sr.signature.structure import LocatedSignature
from sr.verification.verdict import SignatureVerdict

__all__ = ["Given", "Step", "document_steps", "signature_steps"]

_DIGESTS = {algorithm: algorithm.value.lower().replace("_", "-") for algorithm in MACAlgorithm}
"""Names of digests as OpenSSL spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that can be repeated."""

    title: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a check was given, as its commands name it."""

    file: Path
    anchors: Sequence[Path]
    timestamp_anchors: Sequence[Path]
    intermediates: Sequence[Path]
    crls: Sequence[Path]
    judged_at: datetime


def document_steps(given: Given) -> tuple[Step, ...]:
    """Return the command that verifies every signature of a document with DCMTK.

    Cites: PS3.15 C.4.
    """
    trust = [("+cf", path) for path in given.anchors]
    trust += [("+uf", path) for path in given.intermediates]
    options = " ".join(f"{option} {_quoted(path)}" for option, path in trust)
    command = " ".join(
        part for part in ("dcmsign --verify -v +rg", options, _quoted(given.file)) if part
    )
    return (Step(title="Every signature, with DCMTK", command=command),)


def signature_steps(
    located: LocatedSignature,
    others: Sequence[LocatedSignature],
    *,
    verdict: SignatureVerdict,
    digest: str,
    given: Given,
) -> tuple[Step, ...]:
    """Return the commands that repeat the check of one signature.

    Args:
        located: The signature, of sound structure.
        others: All signatures of the document, this one among them.
        verdict: On the signature; its chain holds the certificate of the signer at least.
        digest: Of its MAC stream, hexadecimal.
        given: What the check was given.

    Cites: PS3.3 C.12.1.1.3.1.
    """
    assert located.parameters is not None  # noqa: S101 - of sound structure
    name = f"signature-{located.number}"
    algorithm = f"-{_DIGESTS[MACAlgorithm(located.parameters.algorithm)]}"
    taken = _Taken(located=located, others=others, file=_quoted(given.file))
    fingerprint = verdict.chain[0].sha256
    colons = ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)).upper()
    steps = [
        Step(
            title="The bytes that the MAC covers",
            command=f"srsign mac dump {_quoted(given.file)} --signature {located.number} "
            f"-o {name}.stream",
        ),
        Step(
            title="Their digest",
            command=f"openssl dgst {algorithm} -r {name}.stream | grep {digest}",
        ),
        Step(
            title="The certificate of the signer, from the file",
            command=f"{taken.value(CERTIFICATE)} | openssl x509 -inform DER -out {name}.pem\n"
            f"openssl x509 -in {name}.pem -noout -fingerprint -sha256 | grep {colons}\n"
            f"openssl x509 -in {name}.pem -noout -pubkey > {name}.key",
        ),
        Step(
            title="The signature value, from the file",
            command=f"{taken.value(SIGNATURE)} | head -c {_value_bytes(located)} > {name}.value",
        ),
        Step(
            title="The signature over the stream",
            command=f"openssl dgst {algorithm} -verify {name}.key -signature {name}.value "
            f"{name}.stream",
        ),
    ]
    if given.anchors:
        command = _path_command(name, verdict, given)
        steps.append(Step(title="The certification path", command=command))
    if located.signature.timestamp and _stamp_anchors(given):
        command = _stamp_command(name, verdict, taken, given)
        steps.append(Step(title="The time-stamp over the signature value", command=command))
    return tuple(steps)


def _path_command(name: str, verdict: SignatureVerdict, given: Given) -> str:
    """Return what validates the path: now with revocation, else when it was proven to hold.

    Once a certificate has expired only a time-stamp helps, and revocation lists of today say
    nothing to openssl about that day.
    """
    expired = min(each.not_after for each in verdict.chain) < given.judged_at
    crls = () if expired and verdict.proven_at is not None else given.crls
    at = given.judged_at if crls or verdict.proven_at is None else verdict.proven_at
    options = [f"-attime {int(at.timestamp())}", "-partial_chain -no-CAfile -no-CApath -no-CAstore"]
    options += [f"-trusted {_quoted(path)}" for path in given.anchors]
    options += [f"-untrusted {_quoted(path)}" for path in given.intermediates]
    if crls:
        options.append("-crl_check_all")
        options += [f"-CRLfile {_quoted(path)}" for path in crls]
    return f"openssl verify {' '.join(options)} {name}.pem"


def _stamp_command(name: str, verdict: SignatureVerdict, taken: _Taken, given: Given) -> str:
    """Return what verifies the token; openssl takes anchors and issuers from one file each."""
    at = verdict.proven_at or given.judged_at
    lines = [f"{taken.value(TIMESTAMP)} > {name}.token", _joined(_stamp_anchors(given), name, "ca")]
    options = f"-attime {int(at.timestamp())} -partial_chain -CAfile {name}.ca"
    if given.intermediates:
        lines.append(_joined(given.intermediates, name, "issuers"))
        options += f" -untrusted {name}.issuers"
    verify = f"openssl ts -verify -token_in -in {name}.token -data {name}.value {options}"
    return "\n".join([*lines, verify])


def _stamp_anchors(given: Given) -> Sequence[Path]:
    return given.timestamp_anchors or given.anchors


def _joined(paths: Sequence[Path], name: str, ending: str) -> str:
    return f"cat {' '.join(map(_quoted, paths))} > {name}.{ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """How DCMTK finds a value of one signature item in the file."""

    located: LocatedSignature
    others: Sequence[LocatedSignature]
    file: str

    def value(self, tag: int) -> str:
        """Return a pipeline that writes the bytes of an element of the signature item."""
        same = sorted(
            (each for each in self.others if self._tags(each) == self._tags(self.located)),
            key=_order,
        )
        having = [each for each in same if tag in each.item]
        number = having.index(self.located) + 1
        wanted = r"\.".join([*self._tags(self.located), format_tag(tag).lower()])
        return (
            f"dcmdump -q +L +p +P {format_tag(tag)[1:-1]} {self.file} | grep '^{wanted}' "
            f"| sed -n {number}p | cut -d' ' -f3 | tr -d '\\\\' | tr a-f A-F | basenc --base16 -d"
        )

    @staticmethod
    def _tags(located: LocatedSignature) -> tuple[str, ...]:
        """Return the sequences that lead to a signature item, as dcmdump prints them."""
        tags = [tag for tag, _ in located.level.path]
        return tuple(format_tag(tag).lower() for tag in (*tags, DIGITAL_SIGNATURES_SEQUENCE))


def _order(located: LocatedSignature) -> tuple[tuple[int, int], ...]:
    """Return what sorts signatures as they follow each other in the file."""
    return (*located.level.path, (DIGITAL_SIGNATURES_SEQUENCE, located.index))


def _value_bytes(located: LocatedSignature) -> int:
    """Return the length of the signature value without the byte that makes it even."""
    value = located.signature.signature
    key = public_key_facts(located.signature.certificate)
    if key is not None and key.kind == "RSA":
        return (key.bits + 7) // 8
    return len(der_prefix(value))


def _quoted(path: Path) -> str:
    """Return a path as bash reads it back byte for byte; none is taken for an option."""
    text = str(path)
    text = f"./{text}" if text.startswith("-") else text
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(f"\\x{byte:02x}" for byte in text.encode(errors="surrogateescape")) + "'"
