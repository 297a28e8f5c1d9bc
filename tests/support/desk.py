"""A desk in the office, where somebody writes the next version of a report.

Each call does what a command of srsign does, on the real clock, and writes into one folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions
from sr.app.documents.amending import Amendment, AmendmentResult, amend_file
from sr.app.signatures.signing import ApprovalMode, approve_file, sign_file
from sr.codes import SignaturePurpose as P
from tests.support.forge import Node, edited, remove
from tests.support.office import Office
from tests.support.story import real_ports

__all__ = ["ADDENDUM", "NEW", "PORTS", "Desk"]

PORTS = real_ports()

HEAD = """
language = "en"
{more}
[observer]
name = "Huber^Eva"
organization = "Klinikum"
"""
NEW = (
    'title = "CTChestReport"\n'
    + HEAD
    + """
[[section]]
heading = "Findings"
[[section.item]]
text = "No nodule. The first report was about another picture."
{images}
"""
)
ADDENDUM = (
    HEAD
    + """
[[section]]
heading = "Addendum"
[[section.item]]
text = "Größe unverändert gegenüber 2025."
{images}
"""
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder to write in, and the office it stands in."""

    office: Office
    folder: Path

    @property
    def output(self) -> Path:
        """Where the new version goes."""
        return self.folder / "new.dcm"

    def file(
        self, text: str = NEW, *, more: str = "", images: str = "", name: str = "r.toml"
    ) -> Path:
        """Write a report file."""
        path = self.folder / name
        path.write_text(text.format(more=more, images=images), encoding="utf-8")
        return path

    def amend(
        self,
        source: Path | None = None,
        report: Path | None = None,
        *,
        evidence: tuple[Path, ...] = (),
        template: str | None = None,
        output: Path | None = None,
        **how: bool,
    ) -> AmendmentResult:
        """Amend the approved report, or another document."""
        text = ADDENDUM if how.get("addendum") else NEW
        return amend_file(
            source or self.office.report,
            report or self.file(text),
            output or self.output,
            amendment=Amendment(**how),
            evidence=evidence,
            template=template,
            ports=PORTS,
        )

    def forged(self, *edits: Callable[[list[Node]], object], of: str = "report") -> Path:
        """Return a document of the office, changed by a stranger."""
        path = self.folder / "forged.dcm"
        path.write_bytes(edited(getattr(self.office, of).read_bytes(), *edits))
        return path

    def unsigned(self, *edits: Callable[[list[Node]], object]) -> Path:
        """Return the approved report without signatures, changed."""
        return self.forged(lambda n: remove(n, 0x4FFE0001, 0xFFFAFFFA), *edits)

    def options(self) -> CheckOptions:
        """Options of a check that trusts everybody here."""
        trust = self.office.pki
        return CheckOptions(
            at=PORTS.now(),
            anchors=(trust.certificate("root"),),
            intermediates=(trust.certificate("issuing"),),
            crls=trust.revocation_lists,
            evidence=(self.office.images,),
        )

    def signed(self, source: Path, purpose: P, who: str = "author") -> Path:
        """Return a document with one more signature."""
        path = self.folder / f"{source.stem}-{purpose.value}.dcm"
        credentials = self.office.credentials(who)
        sign_file(source, path, purpose=purpose, credentials=credentials, ports=PORTS)
        return path

    def approved(self, source: Path, observer: str = "Weber^Sam", who: str = "supervisor") -> Path:
        """Return a document, approved."""
        path = self.folder / f"{source.stem}-approved.dcm"
        approve_file(
            source,
            path,
            observer=observer,
            organization="Klinikum",
            mode=ApprovalMode.REISSUE,
            credentials=self.office.credentials(who),
            ports=PORTS,
        )
        return path
