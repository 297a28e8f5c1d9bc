"""What can go wrong, as a tree grouped by who can fix it.

::

    SRError                        base; never raised itself
    ├─ DatasetError                bytes that cannot be used; carries the rule they break
    │  ├─ NotDICOMError            bytes that are not DICOM at all
    │  ├─ LimitError               a configured limit was reached
    │  └─ EncodingError            a value has no defined bytes in the MAC transfer syntax
    ├─ SignatureFormatError        MAC Parameters or Digital Signatures item is malformed
    ├─ ProfileError
    │  ├─ ProfileFormatError       the file is not a profile or policy (unknown key, no citation)
    │  ├─ UnknownProfileError      no profile or policy has that id
    │  └─ ProfileViolationError    signing refused; carries findings
    ├─ DocumentError
    │  ├─ EvidenceError            missing, unreadable or contradictory cited instances
    │  ├─ TemplateError            content does not fit the template
    │  └─ LifecycleError           an illegal move, e.g. approving one's own report
    ├─ SigningError
    │  ├─ SignerUnavailableError   token absent, session lost: a retry may help
    │  ├─ SignerRefusedError       PIN, policy, key usage: a retry will not help
    │  ├─ PINError                 PIN wrong or locked
    │  ├─ MismatchError            a service says something else than it asks to sign
    │  └─ UnsupportedAlgorithmError
    ├─ TrustEvidenceError          a certificate, CRL or time-stamp given to us does not parse
    ├─ ExternalServiceError        a port failed: OCSP, archive
    │  └─ TimestampError           no usable answer of the time-stamp authority
    ├─ ConfigurationError          settings, file names, arguments
    ├─ ServiceError
    │  ├─ AuthenticationError      nobody knows the caller
    │  ├─ AccessError              this caller may not do that
    │  ├─ NotFoundError            there is no such report, session, job
    │  ├─ ConflictError            it changed meanwhile, or was done already
    │  │  └─ PreconditionError     it is not what the caller named
    │  ├─ PreconditionMissingError the caller did not say what it is to be
    │  ├─ TooLargeError            more than the service takes at once
    │  ├─ UnsupportedMediaError    not in a form that the service reads
    │  ├─ TooManyError             more tries than anybody needs
    │  └─ ExpiredError             the time for it is over
    └─ VerdictError                only from ``Verdict.require_passed``

Messages are lower case without full stop, name the attribute by keyword *and* tag, and say what
was expected. A hint says what to do next. Exceptions mean "could not do the job"; a bad signature
is a verdict, not an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from sr.findings import Finding

__all__ = [
    "AccessError",
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "DatasetError",
    "DocumentError",
    "EncodingError",
    "EvidenceError",
    "ExpiredError",
    "ExternalServiceError",
    "LifecycleError",
    "LimitError",
    "MismatchError",
    "NotDICOMError",
    "NotFoundError",
    "PINError",
    "PreconditionError",
    "PreconditionMissingError",
    "ProfileError",
    "ProfileFormatError",
    "ProfileViolationError",
    "SRError",
    "ServiceError",
    "SignatureFormatError",
    "SignerRefusedError",
    "SignerUnavailableError",
    "SigningError",
    "TemplateError",
    "TimestampError",
    "TooLargeError",
    "TooManyError",
    "TrustEvidenceError",
    "UnknownProfileError",
    "UnsupportedAlgorithmError",
    "UnsupportedMediaError",
    "VerdictError",
]


class SRError(Exception):
    """Base of everything srsign raises on purpose.

    Attributes:
        code: Stable slug for machines, one per class.
        where: Data element path such as ``(0040,A730)[2]``, where one is to blame.
        hint: What the reader can do about it, or ``None``.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint


class DatasetError(SRError):
    """Input bytes cannot be used; ``rule`` names what they break (e.g. ``TAG_ORDER``).

    Attributes:
        rule: Rule id.
        offset: Byte offset in the input, where known.
        cites: Clause of the standard that the rule comes from.
    """

    code = "dataset"

    def __init__(
        self,
        message: str,
        *,
        rule: str = "DATASET",
        offset: int | None = None,
        where: str | None = None,
        hint: str | None = None,
        cites: str = "PS3.5 7",
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.rule = rule
        self.offset = offset
        self.cites = cites


class NotDICOMError(DatasetError):
    """The bytes are not DICOM at all."""

    code = "not-dicom"


class LimitError(DatasetError):
    """A configured limit on size, depth or count was reached."""

    code = "limit"


class EncodingError(DatasetError):
    """A value has no defined bytes in the MAC calculation transfer syntax."""

    code = "encoding"


class SignatureFormatError(DatasetError):
    """A MAC Parameters or Digital Signatures item is malformed."""

    code = "signature-format"


class ProfileError(SRError):
    """Something about a profile or policy."""

    code = "profile"


class ProfileFormatError(ProfileError):
    """A file is not a valid profile or policy."""

    code = "profile-format"


class UnknownProfileError(ProfileError):
    """No profile or policy has that id."""

    code = "unknown-profile"


class ProfileViolationError(ProfileError):
    """Signing was refused because the result would not conform.

    Attributes:
        findings: The findings of status FAIL that led to the refusal.
    """

    code = "profile-violation"

    def __init__(
        self,
        message: str,
        *,
        findings: tuple[Finding, ...] = (),
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.findings = findings


class DocumentError(SRError):
    """A document cannot be authored as asked."""

    code = "document"


class EvidenceError(DocumentError):
    """Cited instances are missing, unreadable or contradictory."""

    code = "evidence"


class TemplateError(DocumentError):
    """Content does not fit the template or the information object definition.

    Attributes:
        rule: What it breaks, such as ``PS3.3 Table A.35.1-2 row 8``; empty for input that is wrong
            in itself.
    """

    code = "template"

    def __init__(
        self, message: str, *, rule: str = "", where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.rule = rule


class LifecycleError(DocumentError):
    """An illegal move in the life of a document."""

    code = "lifecycle"


class SigningError(SRError):
    """A signature could not be made."""

    code = "signing"


class SignerUnavailableError(SigningError):
    """The token or reader is absent or failed; a retry may help."""

    code = "signer-unavailable"


class SignerRefusedError(SigningError):
    """The signer refused; a retry will not help."""

    code = "signer-refused"


class PINError(SigningError):
    """The PIN is wrong, locked or missing."""

    code = "pin"


class MismatchError(SigningError):
    """What a service says is not what it asks to sign; ``rule`` names the difference.

    Attributes:
        rule: Rule id.
    """

    code = "mismatch"

    def __init__(
        self, message: str, *, rule: str = "", where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.rule = rule


class UnsupportedAlgorithmError(SigningError):
    """The algorithm or key type is not available here."""

    code = "unsupported-algorithm"


class TrustEvidenceError(SRError):
    """A certificate, CRL, OCSP response or time-stamp given to us does not parse."""

    code = "trust-evidence"


class ExternalServiceError(SRError):
    """A service outside this process failed."""

    code = "external-service"


class TimestampError(ExternalServiceError):
    """The time-stamp authority gave no answer, refused, or answered something else."""

    code = "timestamp"


class ConfigurationError(SRError):
    """Settings, file names or arguments do not make sense."""

    code = "configuration"


class ServiceError(SRError):
    """The service does not do what a caller asks."""

    code = "service"


class AuthenticationError(ServiceError):
    """Nobody knows the caller."""

    code = "authentication"


class AccessError(ServiceError):
    """This caller may not do that."""

    code = "access"


class NotFoundError(ServiceError):
    """There is no such report, session or job, or none that this caller may know of."""

    code = "not-found"


class ConflictError(ServiceError):
    """It changed meanwhile, or was done already.

    Attributes:
        retry_after: Seconds after which the same request may fare better, or ``None``.
    """

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.retry_after = retry_after


class PreconditionError(ConflictError):
    """It is not what the caller named."""

    code = "precondition"


class PreconditionMissingError(ServiceError):
    """The caller has to say what it is to be, so that nothing unseen is changed."""

    code = "precondition-missing"


class TooLargeError(ServiceError):
    """More than the service takes at once."""

    code = "too-large"


class UnsupportedMediaError(ServiceError):
    """It is not in a form that the service reads."""

    code = "unsupported-media"


class ExpiredError(ServiceError):
    """The time for it is over."""

    code = "expired"


class TooManyError(ConflictError):
    """More tries than anybody needs who does not guess."""

    code = "too-many-requests"


class VerdictError(SRError):
    """A verdict was required to be PASSED and is not.

    Attributes:
        findings: Everything that was found.
    """

    code = "verdict"

    def __init__(self, message: str, *, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings
