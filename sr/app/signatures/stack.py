"""Use case: sign a stack of documents, each confirmed, after one entry of the PIN.

The signing policy limits how many documents, and how long, one entry reaches; after that the
signer is closed and opened again, which asks anew. A document that cannot be signed does not hold
up the others; a token or a PIN that fails ends the stack.

Cites: Regulation (EU) 910/2014 Article 26 (c); PS3.15 A.4, C.1, C.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sr.app.files import guard_output, write_atomically
from sr.app.ports import Ports
from sr.app.signatures.signing import (
    Credentials,
    SigningResult,
    open_for_signing,
    sign_opened,
    signer_of,
)
from sr.app.signatures.signing_span import SigningSpan
from sr.codes import SignaturePurpose
from sr.dicomfile import DICOMFile
from sr.errors import (
    ConfigurationError,
    PINError,
    SignerUnavailableError,
    SRError,
)
from sr.mac import MACAlgorithm
from sr.signature.signing_policy import SigningPolicy
from sr.trust.identity import BY_NAME, IdentityMapping

__all__ = ["Signed", "StackDocument", "sign_stack"]

_CONCEPT_NAME, _MEANING = 0x0040A043, 0x00080104
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_SERIES_DESCRIPTION = 0x0008103E


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDocument:
    """What a person is shown before they confirm; patient data, for their eyes."""

    source: Path
    title: str
    patient_name: str
    patient_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What became of one document: signed, left out by the person, or refused."""

    source: Path
    result: SigningResult | None = None
    error: SRError | None = None


def sign_stack(
    sources: Sequence[Path],
    folder: Path,
    *,
    purpose: SignaturePurpose,
    credentials: Credentials,
    ports: Ports,
    policy: SigningPolicy,
    confirm: Callable[[StackDocument], bool],
    profile: str | None = None,
    private: bool = False,
    mac_algorithm: MACAlgorithm = MACAlgorithm.SHA256,
    identity: IdentityMapping = BY_NAME,
) -> Iterator[Signed]:
    """Sign each document that is confirmed, and yield what became of it.

    Args:
        sources: Files, of different names.
        folder: Where the signed files go, under the same names; made if absent.
        purpose: Of every signature.
        credentials: Opened when the first document was confirmed, and again at each limit.
        ports: Clock and source of UIDs.
        policy: The limits.
        confirm: Asked for each document.
        profile: Insisted on for each, as for a single document; so are the next two.
        private: Whether to cover private elements.
        mac_algorithm: Digest of the MACs.
        identity: Who is who.

    Raises:
        ConfigurationError: Two files have one name, an output would replace an input, or the key
            cannot be opened.
        PINError: The PIN is wrong or locked; nothing more is signed.
        SignerUnavailableError: The token failed; nothing more is signed.
        SigningError: The key cannot be opened.

    Cites: PS3.15 A.4, C.1, C.4.
    """
    _prepare(sources, folder)
    with SigningSpan(
        lambda: signer_of(credentials, stack=True), now=ports.now, policy=policy
    ) as span:
        for source in sources:
            try:
                file = open_for_signing(source)
            except SRError as error:
                yield Signed(source=source, error=error)
                continue
            if not confirm(_shown(source, file)):
                yield Signed(source=source)
                continue
            signer = span.signer()
            try:
                pieces, result = sign_opened(
                    file,
                    signer,
                    ports,
                    purpose=purpose,
                    profile=profile,
                    private=private,
                    mac_algorithm=mac_algorithm,
                    identity=identity,
                )
                write_atomically(folder / source.name, pieces)
            except (PINError, SignerUnavailableError):
                raise
            except SRError as error:
                yield Signed(source=source, error=error)
            else:
                span.count()
                yield Signed(source=source, result=replace(result, output=folder / source.name))


def _prepare(sources: Sequence[Path], folder: Path) -> None:
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"two of the files are called {twice}")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be made: {error.strerror}") from error
    for source in sources:
        guard_output(folder / source.name, sources, in_place=False)


def _shown(source: Path, file: DICOMFile) -> StackDocument:
    dataset = file.dataset
    names = dataset.items(_CONCEPT_NAME)
    return StackDocument(
        source=source,
        title=(names[0].text(_MEANING) if names else "") or dataset.text(_SERIES_DESCRIPTION),
        patient_name=dataset.text(_PATIENT_NAME),
        patient_id=dataset.text(_PATIENT_ID),
    )
