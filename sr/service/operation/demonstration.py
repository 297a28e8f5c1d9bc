"""Use case: fill an empty service with people, images and reports of nobody.

Cites: PS3.17 Annex W.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sr.app.demonstration.certificates import DemoPKI, make_demo_pki
from sr.app.demonstration.synthetic import SYNTHETIC_PATIENT, synthetic_ct_series
from sr.app.files import write_atomically
from sr.app.trust.trust_store import TrustStore, Use, certificates_in
from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.service.access import Principal, Role
from sr.service.authoring.reports import return_report, write_report
from sr.service.context import Context
from sr.service.reading.documents import open_document
from sr.service.signing.server_signing import sign_with_server_key
from sr.service.signing.signing_sessions import WantedSignature, open_session
from sr.store.documents import Document, DocumentState
from sr.store.people import Credential, User, add_credential, add_user

__all__ = [
    "DEMO_PEOPLE",
    "DemoWorld",
    "fill_worklist",
    "make_world",
    "principal_for",
    "sign_here",
    "trust_of",
    "write_demo_report",
]

ORGANIZATION = "srsign DEMO Hospital"

_PATIENTS = (
    ("Müller^Jördis", "19610314", "F"),
    ("Okafor^Chidi", "19480922", "M"),
    ("Lindqvist^Astrid", "19730105", "F"),
    ("García^Tomás", "19900730", "M"),
    ("Nowak^Zofia", "19550618", "F"),
    ("Tanaka^Haruto", "19661201", "M"),
)
"""Nobody of that name and birth date is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    display_name: str
    person_name: str
    roles: tuple[Role, ...]
    certificate: str | None = None


DEMO_PEOPLE = {
    "anna": _Person(
        display_name="Dr. Anna Meier",
        person_name="Meier^Anna^^Dr.",
        roles=(Role.AUTHOR,),
        certificate="author",
    ),
    "sam": _Person(
        display_name="Dr. Sam Weber",
        person_name="Weber^Sam^^Dr.",
        roles=(Role.AUTHOR, Role.APPROVER),
        certificate="supervisor",
    ),
    "archive": _Person(
        display_name="Archive", person_name="Archive", roles=(Role.SEALER,), certificate="archive"
    ),
    "olga": _Person(
        display_name="Olga Petrova", person_name="Petrova^Olga", roles=(Role.OPERATOR,)
    ),
    "ida": _Person(display_name="Ida Lund", person_name="Lund^Ida", roles=(Role.AUDITOR,)),
    "root": _Person(display_name="Administrator", person_name="Admin", roles=(Role.ADMIN,)),
}
"""Users of a demonstration, by login."""

_TURNS = (
    DocumentState.DRAFT,
    DocumentState.SIGNED,
    DocumentState.APPROVED,
    DocumentState.RETURNED,
    DocumentState.SIGNED,
    DocumentState.APPROVED,
)
"""What becomes of the report on each study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorld:
    """What a demonstration starts from."""

    folder: Path
    pki: DemoPKI
    studies: tuple[str, ...]

    @property
    def evidence(self) -> Path:
        """Folder with one folder a study."""
        return self.folder / "evidence"


def make_world(context: Context, folder: Path, *, studies: int = 3, slices: int = 4) -> DemoWorld:
    """Write images, and a PKI unless there is one, and make users with certificates.

    Args:
        context: A service whose database is empty.
        folder: For PKI and images; ``folder/evidence`` is an evidence folder of the service.
        studies: How many.
        slices: Images in each.
    """
    pki = DemoPKI(folder=folder / "pki")
    if not pki.folder.exists():
        make_demo_pki(pki.folder, now=context.ports.now())
    uids = tuple(_images(context, folder / "evidence", n, slices) for n in range(studies))
    world = DemoWorld(folder=folder, pki=pki, studies=uids)
    now = context.ports.now()
    with context.database.write() as connection:
        for login, person in DEMO_PEOPLE.items():
            user = User(
                id=login,
                login=login,
                display_name=person.display_name,
                person_name=person.person_name,
                organization=ORGANIZATION,
                roles=person.roles,
                created_at=now,
            )
            add_user(connection, user)
            if person.certificate is None:
                continue
            chain = chain_of(pki, person.certificate)
            leaf = x509.load_pem_x509_certificates(chain)[0]
            add_credential(
                connection,
                Credential(
                    id=context.new_token(),
                    user_id=login,
                    sha256=sha256(leaf.public_bytes(Encoding.DER)).hexdigest(),
                    chain=chain,
                    label="demonstration key",
                    key_uri=pki.key_uri(person.certificate),
                    not_after=leaf.not_valid_after_utc,
                    created_at=now,
                ),
            )
    return world


def trust_of(world: DemoWorld, folder: Path) -> None:
    """Keep the anchors and revocation lists of the demonstration in a trust store."""
    store = TrustStore(folder)
    for name, use in (("root", Use.ANCHOR), ("issuing", Use.INTERMEDIATE)):
        for certificate in certificates_in(world.pki.certificate(name)):
            store.add(certificate, use)
    for path in world.pki.revocation_lists:
        write_atomically(store.list_path(path.name), path.read_bytes())


def fill_worklist(context: Context, world: DemoWorld) -> None:
    """Write a report on each study: a draft, signed, approved, returned, and so on again."""
    author, approver = SignaturePurpose.AUTHOR, SignaturePurpose.VERIFICATION
    for n in range(len(world.studies)):
        draft = write_demo_report(context, world, "anna", n)
        turn = n % len(_TURNS)
        if _TURNS[turn] is DocumentState.DRAFT:
            continue
        sign_here(context, world, "anna", draft, author)
        signed, _ = open_document(context, principal_for("sam"), draft.sop_instance_uid)
        if _TURNS[turn] is DocumentState.APPROVED:
            sign_here(context, world, "sam", signed, approver)
        elif _TURNS[turn] is DocumentState.RETURNED:
            return_report(
                context,
                principal_for("sam"),
                signed.sop_instance_uid,
                if_match=signed.sha256,
                comment="Please compare with the examination of last year.",
            )


def principal_for(login: str) -> Principal:
    """Return a person of the demonstration as a caller."""
    person = DEMO_PEOPLE[login]
    return Principal(
        user_id=login,
        login=login,
        display_name=person.display_name,
        person_name=person.person_name,
        organization=ORGANIZATION,
        roles=frozenset(person.roles),
    )


def chain_of(pki: DemoPKI, name: str) -> bytes:
    """Return a certificate and its issuer's, PEM."""
    return pki.certificate(name).read_bytes() + pki.certificate("issuing").read_bytes()


def write_demo_report(context: Context, world: DemoWorld, login: str, study: int) -> Document:
    """Write a draft of a chest CT report about one of the studies."""
    template, writer = load_template("ct-chest"), principal_for(login)
    return write_report(
        context,
        writer,
        study_instance_uid=world.studies[study],
        values={
            **tomllib.loads(template.example),
            "observer_name": writer.person_name,
            "organization": writer.organization,
        },
        template="ct-chest",
    )


def sign_here(
    context: Context,
    world: DemoWorld,
    login: str,
    document: Document,
    purpose: SignaturePurpose,
) -> str:
    """Sign a document with a key of the demonstration; return the indication of its verdict.

    The server must sign for people: ``server_signers`` of the context.
    """
    person = DEMO_PEOPLE[login]
    assert person.certificate is not None  # noqa: S101 - those who sign have one
    principal = principal_for(login)
    opened = open_session(
        context,
        principal,
        (WantedSignature(sop_instance_uid=document.sop_instance_uid, if_match=document.sha256),),
        purpose=purpose,
        chain=chain_of(world.pki, person.certificate),
    )
    verdicts = sign_with_server_key(context, principal, opened.session.id)
    return str(verdicts[0]["indication"])


def _images(context: Context, evidence: Path, number: int, slices: int) -> str:
    study: list[str] = []

    def new_uid() -> str:
        uid = context.ports.new_uid()
        study.append(uid)
        return uid

    name, birth_date, sex = _PATIENTS[number % len(_PATIENTS)]
    patient = SYNTHETIC_PATIENT | {
        "PatientName": name,
        "PatientID": f"SRSIGN-{4711 + 23 * number}",
        "PatientBirthDate": birth_date,
        "PatientSex": sex,
    }
    files = synthetic_ct_series(slices, new_uid=new_uid, now=context.ports.now(), patient=patient)
    folder = evidence / f"{number:03d}"
    folder.mkdir(parents=True)
    for n, data in enumerate(files, start=1):
        write_atomically(folder / f"{n:03d}.dcm", data)
    return study[0]
