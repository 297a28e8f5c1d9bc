"""Use case: the whole story in one folder.

Images are sealed by an archive, a report cites them and is signed by its author, a supervisor
approves it, a manifest ships everything, and every product is checked. Then somebody interferes.

Cites: PS3.17 Annex W.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sr.app.checks.check import CheckOptions, check_file, exit_code
from sr.app.checks.peer import dcmsign_accepts, find_dcmsign
from sr.app.demonstration.certificates import DemoPKI, make_demo_pki
from sr.app.demonstration.interference import INTERFERENCES
from sr.app.demonstration.softhsm import make_demo_token
from sr.app.demonstration.synthetic import synthetic_ct_series
from sr.app.documents.authoring import create_report, seal
from sr.app.documents.evidence import load_evidence
from sr.app.documents.evidence_folder import survey
from sr.app.documents.securing import Securing
from sr.app.files import open_dicom, write_atomically
from sr.app.ports import Ports
from sr.app.shipping.manifest import check_manifest, create_manifest
from sr.app.signatures.signing import ApprovalMode, Credentials, approve_file, sign_file
from sr.codes import SignaturePurpose
from sr.document.evidence import Evidence
from sr.document.template import load_template
from sr.errors import ConfigurationError, EvidenceError
from sr.findings import Finding
from sr.mac import signable_tags
from sr.verification import Verdict

__all__ = ["run_demo"]

_SLICES = 6
_TEMPLATE = "ct-chest"
_PRODUCTS = ("seal.dcm", "report-author.dcm", "report.dcm", "manifest.dcm")
_ORGANIZATION = "srsign DEMO Hospital"
_SIGNERS = ("archive", "author", "supervisor")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Where the story takes place."""

    out: Path
    pki: DemoPKI
    keys: dict[str, str]
    ports: Ports
    tell: Tell

    @property
    def evidence(self) -> Path:
        return self.out / "evidence"

    def credentials(self, name: str) -> Credentials:
        return Credentials(
            key=self.keys[name], certificates=(self.pki.certificate(name),), secrets=_no_secret
        )

    def options(self, *evidence: Path, trusted: bool = True) -> CheckOptions:
        anchors = (self.pki.certificate("root"),) if trusted else ()
        return CheckOptions(
            at=self.ports.now(),
            anchors=anchors,
            intermediates=(self.pki.certificate("issuing"),),
            crls=self.pki.revocation_lists,
            evidence=evidence or None,
        )


def run_demo(
    out: Path,
    *,
    images: Path | None,
    token: str | None,
    tell: Tell,
    ports: Ports,
    find_peer: Callable[[], Path | None] = find_dcmsign,
) -> bool:
    """Tell the whole story; return whether everything came out as it should.

    Args:
        out: Folder for everything; an earlier demonstration there is replaced.
        images: Folder with real images, ``None`` for a synthetic series.
        token: ``softhsm`` to sign with keys on a software token.
        tell: Receives one line at a time.
        ports: Time and UIDs.
        find_peer: Returns where dcmsign is, ``None`` where it is not installed.

    Raises:
        ConfigurationError: The folder holds something else, or a token is not available.
        EvidenceError: None of the images can be cited.
        SRError: Something did not work.

    Cites: PS3.17 Annex W.
    """
    _clear(out)
    tell("1. A throw-away PKI: root, issuing CA, author, supervisor, archive (NOT FOR PATIENTS)")
    pki = make_demo_pki(out / "pki", now=ports.now())
    stage = _Stage(out=out, pki=pki, keys=_keys(out, pki, token, tell), ports=ports, tell=tell)
    _provide_images(stage, images)
    notices = _author(stage)
    good = _check_products(stage)
    good = _ask_dcmsign(stage, find_peer(), notices) and good
    good = _interfere(stage) and good
    good = _interfere_with_shipment(stage) and good
    tell("")
    tell(
        f"Everything is in {out}."
        if good
        else f"Something did not come out as it should; look into {out}."
    )
    return good


def _no_secret(prompt: str) -> str:
    raise ConfigurationError(f"the demonstration has no secret to give: {prompt}")


def _clear(out: Path) -> None:
    """Make room for a demonstration, replacing only an earlier one."""
    if out.is_dir() and any(out.iterdir()):
        if not (out / "pki" / "root.pem").is_file():
            raise ConfigurationError(
                f"{out} holds something that is no earlier demonstration",
                hint="name another folder with --out",
            )
        shutil.rmtree(out)
    (out / "evidence").mkdir(parents=True)


def _keys(out: Path, pki: DemoPKI, token: str | None, tell: Tell) -> dict[str, str]:
    if token is None:
        return {name: pki.key_uri(name) for name in _SIGNERS}
    if token != "softhsm":  # noqa: S105 - the name of a product
        raise ConfigurationError(f"the demonstration knows the token 'softhsm', not {token!r}")
    tell("   The three signing keys are moved to a SoftHSM token")
    return make_demo_token(out / "token", pki.folder, _SIGNERS)


def _provide_images(stage: _Stage, images: Path | None) -> None:
    if images is None:
        files = synthetic_ct_series(_SLICES, new_uid=stage.ports.new_uid, now=stage.ports.now())
        for number, data in enumerate(files, start=1):
            write_atomically(stage.evidence / f"{number:03d}.dcm", data)
        stage.tell(f"2. {_SLICES} synthetic CT images")
        return
    found = load_evidence(
        [images], securing=Securing(check=CheckOptions(at=stage.ports.now())), tolerant=True
    )
    chosen = _one_study(found.evidence)
    if not chosen:
        raise EvidenceError(f"no file below {images} can be cited as evidence")
    by_label = _locate(images)
    for number, item in enumerate(chosen, start=1):
        target = stage.evidence / f"{number:03d}.dcm"
        write_atomically(target, by_label[item.sop_instance_uid].read_bytes())
    stage.tell(f"2. {len(chosen)} images of one study from {images}")
    for left_out in found.skipped:
        stage.tell(f"   cannot be cited: {left_out.path.name}: {left_out.reason}")
    for item in found.evidence:
        if item not in chosen:
            stage.tell(f"   not cited here: {item.label}: belongs to another study or patient")


def _locate(images: Path) -> dict[str, Path]:
    return {uid: paths[0] for uid, paths in survey([images]).by_uid.items()}


def _one_study(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the instances of the study that has most of them; a report is about one study."""
    studies: dict[tuple[str, str], list[Evidence]] = {}
    for item in evidence:
        key = (item.study_instance_uid, item.patient_study.patient_id)
        studies.setdefault(key, []).append(item)
    largest = max(studies, key=lambda key: len(studies[key]), default=None)
    return tuple(studies[largest]) if largest is not None else ()


def _author(stage: _Stage) -> tuple[Finding, ...]:
    out, tell, ports = stage.out, stage.tell, stage.ports
    sealed = seal(
        stage.evidence, out / "seal.dcm", credentials=stage.credentials("archive"), ports=ports
    )
    tell(f"3. seal.dcm: the archive seals {sealed.cited} images (113035, source signature)")
    values = out / "report-values.toml"
    values.write_text(load_template(_TEMPLATE).example, encoding="utf-8")
    draft = out / "report-draft.dcm"
    written = create_report(
        values, draft, evidence=(stage.evidence,), template=_TEMPLATE, ports=ports
    )
    author = sign_file(
        draft, out / "report-author.dcm", purpose=SignaturePurpose.AUTHOR,
        credentials=stage.credentials("author"), ports=ports,
    )  # fmt: skip
    tell(f"4. report-author.dcm: a report citing {written.cited} instances, signed by its author")
    approved = approve_file(
        out / "report-author.dcm", out / "report.dcm", observer="Weber^Sam",
        organization=_ORGANIZATION, mode=ApprovalMode.REISSUE,
        credentials=stage.credentials("supervisor"), ports=ports,
    )  # fmt: skip
    tell("5. report.dcm: approved and signed by a supervisor, new SOP Instance UID")
    shipped = create_manifest(
        (stage.evidence, out / "report.dcm"), out / "manifest.dcm",
        credentials=stage.credentials("archive"), ports=ports,
    )  # fmt: skip
    tell(f"6. manifest.dcm: a signed manifest over {shipped.cited} instances (113031)")
    return (*sealed.notices, *author.notices, *approved.notices, *shipped.notices)


def _check_products(stage: _Stage) -> bool:
    stage.tell("7. srsign checks")
    good = True
    for name in _PRODUCTS:
        verdict = check_file(stage.out / name, stage.options(stage.evidence, stage.out))
        good = exit_code(verdict) == 0 and good
        references = verdict.references.as_dict()
        stage.tell(
            f"   {name:<18} {verdict.headline}, "
            f"{references['matched']} of {references['total']} references match"
        )
    return good


def _ask_dcmsign(stage: _Stage, dcmsign: Path | None, notices: tuple[Finding, ...]) -> bool:
    if dcmsign is None:
        stage.tell("8. dcmsign (Debian package dcmtk) is not installed; no second opinion")
        return True
    if any(notice.rule == "PEER_WILL_TRUNCATE" for notice in notices):
        stage.tell(
            "8. dcmsign is not asked: it reads nested sequences wrongly beyond 16 KiB "
            "(PEER_WILL_TRUNCATE, see docs/divergences.md)"
        )
        return True
    good = True
    for name in _PRODUCTS:
        accepted = dcmsign_accepts(
            dcmsign, stage.out / name,
            anchor=stage.pki.certificate("root"), intermediate=stage.pki.certificate("issuing"),
        )  # fmt: skip
        good = accepted and good
        if not accepted:
            stage.tell(f"   {name}: dcmsign does not accept it")
    stage.tell(f"8. dcmsign --verify +rs {'accepts all four' if good else 'disagrees'}")
    return good


def _interfere(stage: _Stage) -> bool:
    stage.tell("9. Somebody interferes with the report")
    data = (stage.out / "report.dcm").read_bytes()
    good = True
    for interference in INTERFERENCES:
        target = stage.out / "interfered.dcm"
        write_atomically(target, interference.apply(data))
        verdict = check_file(target, stage.options())
        good = _told(stage, interference.title, verdict, interference.expected) and good
        target.unlink()
    stranger = check_file(stage.out / "report.dcm", stage.options(trusted=False))
    return _told(stage, "signed under an authority nobody trusts", stranger, 11) and good


def _interfere_with_shipment(stage: _Stage) -> bool:
    stage.tell("10. Somebody interferes with the shipment")
    good = True
    for title, interfere, expected in (
        ("nothing", lambda _: None, 0),
        ("an image is missing", _lose, 13),
        ("an image was altered", _alter, 13),
        ("an unexpected object was added", lambda d: shutil.copy(stage.out / "seal.dcm", d), 13),
    ):
        shipment = stage.out / "shipment"
        shutil.copytree(stage.evidence, shipment)
        shutil.copy(stage.out / "report.dcm", shipment)
        interfere(shipment)
        verdict = check_manifest(stage.out / "manifest.dcm", (shipment,), stage.options())
        good = _told(stage, title, verdict, expected) and good
        shutil.rmtree(shipment)
    return good


def _lose(shipment: Path) -> None:
    (shipment / "001.dcm").unlink()


def _alter(shipment: Path) -> None:
    """Change a byte of the last thing a MAC covers, which in an image is its pixel data."""
    path = shipment / "001.dcm"
    file = open_dicom(path, allow_odd_lengths=True)
    dataset = file.dataset
    covered = frozenset(signable_tags(dataset))
    last = [e for e in dataset if e.tag in covered and e.items is None and e.end > e.value][-1]
    data = bytearray(path.read_bytes())
    offset = last.fragments[-1][0] if last.fragments else last.value
    data[len(data) // 2 if file.transfer_syntax.deflated else offset] ^= 0x01
    path.write_bytes(data)


def _told(stage: _Stage, title: str, verdict: Verdict, expected: int) -> bool:
    code = exit_code(verdict)
    sub = f" / {verdict.sub_indication.value}" if verdict.sub_indication else ""
    mark = "as expected" if code == expected else f"expected exit {expected}"
    stage.tell(f"   {title:<46} {verdict.indication.value}{sub}, exit {code} ({mark})")
    return code == expected
