"""A bundle and its renewal in memory of years: people whose certificates and keys grow old.

The document is signed in 2026 with RSA-2048, whose last day is the end of 2030. The first authority
has such a key too; the second, who renews in 2028, and those who vouch for both, have other ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.checks.check import CheckOptions
from sr.app.ports import Ports, Timestamping
from sr.app.shipping.bundle import create_bundle, renew_bundle
from sr.app.signatures.signing import Credentials
from sr.codes import SignaturePurpose
from tests.support.pki import NOW, Entity, issue, make_crl, revoked_entry
from tests.support.signed import plain_report, sign
from tests.support.tokens import MemoryAuthority, tsa

__all__ = ["MADE_AT", "MUCH_LATER", "RENEWED_AT", "Years", "live_through"]

DAY = timedelta(days=1)
MADE_AT = NOW
RENEWED_AT = datetime(2028, 6, 1, tzinfo=UTC)
MUCH_LATER = datetime(2031, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """Where everything is; tests copy what they want to change."""

    folder: Path
    issuing: Entity
    archive: Entity
    first: Entity
    second: Entity

    @property
    def document(self) -> Path:
        """A signed report."""
        return self.folder / "report.dcm"

    @property
    def bundle(self) -> Path:
        """The bundle, time-stamped once."""
        return self.folder / "report.zip"

    @property
    def renewed(self) -> Path:
        """The bundle, time-stamped again by the second authority."""
        return self.folder / "renewed.zip"

    @property
    def credentials(self) -> Credentials:
        """The archive's key."""
        return Credentials(
            key=f"file:{self.folder / 'archive.key'}",
            certificates=(self.folder / "archive.pem", self.folder / "issuing.pem"),
            secrets=lambda prompt: "",
        )

    def options(self, at: datetime, *, crls: tuple[Path, ...] = ()) -> CheckOptions:
        """Trust in the root, and nothing else but what is given."""
        return CheckOptions(at=at, anchors=(self.folder / "root.pem",), crls=crls)

    def making(self, at: datetime) -> CheckOptions:
        """What a bundle is made with."""
        given = tuple(self.folder / name for name in ("root.crl", "issuing.crl"))
        options = self.options(at, crls=given)
        return replace(options, intermediates=(self.folder / "issuing.pem",))

    def ports(self, at: datetime, authority: Entity | None) -> Ports:
        """A clock that stands, and an authority, or none."""
        stamping = None
        if authority is not None:
            kind = "rsassa_pkcs1v15" if authority is self.first else "sha256_ecdsa"
            changes = {"authority": authority, "signature_algorithm": kind}
            asked = MemoryAuthority(clock=lambda: at, changes=changes)
            stamping = Timestamping(authority=asked, new_nonce=lambda: 1 << 63)
        return Ports(now=lambda: at, new_uid=lambda: "2.25.1", timestamping=stamping)

    def crl(self, name: str, at: datetime, *revoked: tuple[Entity, datetime]) -> Path:
        """Write a CRL of the issuing authority."""
        path = self.folder / name
        entries = [revoked_entry(who.certificate.serial_number, at=when) for who, when in revoked]
        made = make_crl(
            self.issuing, this_update=at - DAY, next_update=at + 30 * DAY, revoked=entries
        )
        path.write_bytes(made.public_bytes(Encoding.PEM))
        return path


def live_through(folder: Path) -> Years:
    """Make people, report, bundle and renewal."""
    root = issue(None, "Long Root", ca=True, key_kind="p256")
    issuing = issue(root, "Long Issuing", ca=True, key_kind="p256", path_length=0)
    years = Years(
        folder=folder,
        issuing=issuing,
        archive=issue(issuing, "Archive", slot="archive"),
        first=tsa(issuing, "First TSA", not_after=datetime(2029, 1, 1, tzinfo=UTC)),
        second=tsa(
            issuing,
            "Second TSA",
            slot="tsa2",
            key_kind="p256",
            not_before=RENEWED_AT - 300 * DAY,
            not_after=datetime(2036, 1, 1, tzinfo=UTC),
        ),
    )
    author = issue(issuing, "Anna Meier", slot="author")
    for name, entity in {"root": root, "issuing": issuing, "archive": years.archive}.items():
        (folder / f"{name}.pem").write_bytes(entity.pem)
    (folder / "archive.key").write_bytes(years.archive.key_pem())
    root_crl = make_crl(root, this_update=MADE_AT - DAY, next_update=MADE_AT + 365 * DAY)
    (folder / "root.crl").write_bytes(root_crl.public_bytes(Encoding.PEM))
    years.crl("issuing.crl", MADE_AT)
    years.document.write_bytes(sign(plain_report(), author, SignaturePurpose.AUTHOR))
    create_bundle(
        years.document,
        years.bundle,
        credentials=years.credentials,
        options=years.making(MADE_AT),
        ports=years.ports(MADE_AT, years.first),
    )
    renew_bundle(
        years.bundle,
        years.renewed,
        options=years.options(RENEWED_AT, crls=(years.crl("issuing-2028.crl", RENEWED_AT),)),
        ports=years.ports(RENEWED_AT, years.second),
    )
    return years
