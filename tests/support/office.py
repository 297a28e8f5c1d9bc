"""A day in one folder: images, a PKI, and a report in each state of its life.

Everything is made by the use cases themselves on the real clock, as a user would make it, so that
the command line can go on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sr import compose
from sr.app.checks.check import CheckOptions, check_file
from sr.app.demonstration.certificates import DemoPKI, make_demo_pki
from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.app.documents.authoring import create_report, seal
from sr.app.signatures.signing import ApprovalMode, Credentials, approve_file, sign_file
from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.findings import Indication
from sr.keys.secrets import no_secrets
from tests.support.datasets import write_all
from tests.support.peers import dcmsign_verify

__all__ = ["Office", "open_office"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where everything is; tests copy what they want to change."""

    folder: Path
    pki: DemoPKI

    @property
    def images(self) -> Path:
        """Folder with three CT images."""
        return self.folder / "images"

    @property
    def draft(self) -> Path:
        """A report that nobody signed."""
        return self.folder / "draft.dcm"

    @property
    def authored(self) -> Path:
        """The report with its author's signature."""
        return self.folder / "authored.dcm"

    @property
    def report(self) -> Path:
        """The report, approved and signed twice."""
        return self.folder / "report.dcm"

    @property
    def seal(self) -> Path:
        """A signed key object selection over the images."""
        return self.folder / "seal.dcm"

    @property
    def trust(self) -> list[str]:
        """Options that make every signature here trusted, revocation known."""
        root, issuing = (str(self.pki.certificate(name)) for name in ("root", "issuing"))
        lists = [part for path in self.pki.revocation_lists for part in ("--crl", str(path))]
        return ["--trust-anchor", root, "--intermediate", issuing, *lists]

    def signer(self, name: str) -> list[str]:
        """Options that sign as somebody of the PKI."""
        return ["--key", self.pki.key_uri(name), "--cert", str(self.pki.certificate(name))]

    def credentials(self, name: str) -> Credentials:
        """What a use case signs with."""
        certificates = (self.pki.certificate(name),)
        return Credentials(
            key=self.pki.key_uri(name), certificates=certificates, secrets=no_secrets
        )

    def approve(self, draft: Path, authored: Path, approved: Path) -> None:
        """Sign a report as its author and let the supervisor approve it."""
        ports = compose.ports()
        sign_file(
            draft,
            authored,
            purpose=SignaturePurpose.AUTHOR,
            credentials=self.credentials("author"),
            ports=ports,
        )
        approve_file(
            authored,
            approved,
            observer="Weber^Sam",
            organization="srsign DEMO",
            mode=ApprovalMode.REISSUE,
            credentials=self.credentials("supervisor"),
            ports=ports,
        )

    def judged(self, path: Path) -> tuple[Indication, int]:
        """Return what our check says of a file, and the exit code of ``dcmsign +rs``."""
        root, issuing = (self.pki.certificate(name) for name in ("root", "issuing"))
        options = CheckOptions(
            at=compose.current_time(),
            anchors=(root,),
            intermediates=(issuing,),
            crls=self.pki.revocation_lists,
        )
        peer = dcmsign_verify(path, anchor=root, intermediate=issuing)
        return check_file(path, options).indication, peer.returncode


def open_office(folder: Path) -> Office:
    """Make everything in a folder."""
    ports = compose.ports()
    office = Office(folder=folder, pki=make_demo_pki(folder / "pki", now=ports.now()))
    office.images.mkdir()
    write_all(office.images, synthetic_ct_series(3, new_uid=ports.new_uid, now=ports.now()))
    values = folder / "values.toml"
    values.write_text(load_template("ct-chest").example, encoding="utf-8")
    create_report(values, office.draft, evidence=(office.images,), template="ct-chest", ports=ports)
    office.approve(office.draft, office.authored, office.report)
    seal(office.images, office.seal, credentials=office.credentials("archive"), ports=ports)
    return office
