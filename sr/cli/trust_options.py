"""The options about trust and about securing references, which many commands take.

A command takes a family as one parameter; see ``sr.cli.command``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr.codes import SignaturePurpose
from sr.errors import ConfigurationError
from sr.signature.reference_coverage import MACCoverage

if TYPE_CHECKING:
    from sr.app.checks.check import CheckOptions
    from sr.app.documents.securing import Securing
    from sr.trust.identity import IdentityMapping

__all__ = [
    "SECURED",
    "TRUST",
    "AnchorSelections",
    "Coverage",
    "Secured",
    "SitePolicy",
    "Trust",
    "identity_of",
]

_SECURING = "How evidence is secured"

_TrustAnchors = Annotated[
    list[Path],
    typer.Option(
        "--trust-anchor",
        metavar="PEM",
        help="Certificate you trust (PEM or DER); repeatable. Without any, those that srsign trust "
        "keeps.",
    ),
]
_TimestampAnchors = Annotated[
    list[Path],
    typer.Option(
        "--tsa-anchor",
        metavar="PEM",
        help="Certificate you trust for time-stamps only; repeatable. Without any, the trust "
        "anchors count for time-stamps too.",
    ),
]
_Intermediates = Annotated[
    list[Path],
    typer.Option("--intermediate", metavar="PEM", help="Issuing certificate; repeatable."),
]
_CRL = Annotated[
    list[Path],
    typer.Option("--crl", metavar="FILE", help="Certificate revocation list; repeatable."),
]
_OCSP = Annotated[
    list[Path], typer.Option("--ocsp", metavar="FILE", help="OCSP response; repeatable.")
]
_Policy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="ID|FILE",
        help="standard, strict, archive, interop, demo, or a policy file; otherwise the setting "
        "trust.policy.  [default: standard]",
    ),
]
SitePolicy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="ID|FILE",
        help="Policy whose [identity] says who is who: the signer has to be whom the report names, "
        "and another person than the author; otherwise the setting trust.policy.",
    ),
]
Coverage = Annotated[
    MACCoverage,
    typer.Option(
        "--coverage",
        help="What MACs of cited instances cover: full, or all but what an archive may change "
        "(patient ID, study and series UID, codes).",
        rich_help_panel=_SECURING,
    ),
]
_TrustedSelections = Annotated[
    list[Path],
    typer.Option(
        "--trusted-kos",
        metavar="FILE",
        help="Signed key object selection whose proofs are copied instead of hashing again, if it "
        "is PASSED; repeatable.",
        rich_help_panel=_SECURING,
    ),
]
AnchorSelections = Annotated[
    list[Path],
    typer.Option(
        "--anchor-kos",
        metavar="FILE",
        help="Signed key object selection to cite beside what it secures, if it is PASSED and "
        "everything is as it says; repeatable.",
        rich_help_panel=_SECURING,
    ),
]
_TrustedSigner = Annotated[
    str | None,
    typer.Option(
        "--trusted-signer",
        metavar="PATTERN",
        help="Every signer of these selections must match, e.g. '*CN=Archive*'.",
        rich_help_panel=_SECURING,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom a check trusts, and under which policy."""

    trust_anchor: _TrustAnchors = ()  # type: ignore[assignment]
    tsa_anchor: _TimestampAnchors = ()  # type: ignore[assignment]
    intermediate: _Intermediates = ()  # type: ignore[assignment]
    crl: _CRL = ()  # type: ignore[assignment]
    ocsp: _OCSP = ()  # type: ignore[assignment]
    policy: _Policy = None

    def check_options(
        self,
        *,
        evidence: Sequence[Path] = (),
        require_purpose: Sequence[SignaturePurpose] = (),
        signer: str | None = None,
        at: datetime | None = None,
        record: Sequence[Path] = (),
    ) -> CheckOptions:
        """Return the options of a check, everything they name read and found sound.

        Raises:
            ConfigurationError: A file cannot be read.
            TrustEvidenceError: A file holds no certificate or revocation list.
            ProfileError: The policy is unknown or malformed.
        """
        from sr.app.checks.check import CheckOptions
        from sr.app.settings import current_settings
        from sr.compose import current_time

        options = CheckOptions(
            at=at or current_time(),
            anchors=tuple(self.trust_anchor),
            timestamp_anchors=tuple(self.tsa_anchor),
            intermediates=tuple(self.intermediate),
            crls=tuple(self.crl),
            ocsps=tuple(self.ocsp),
            policy=self.policy or current_settings().trust.policy,
            evidence=tuple(evidence) or None,
            purposes=tuple(purpose.value for purpose in require_purpose),
            signer=signer,
            records=tuple(record),
            store=Path(current_settings().trust.directory).expanduser(),
        )
        _ = options.trust_policy, options.material, options.folder, options.record
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """How the references of a new document are secured."""

    coverage: Coverage = MACCoverage.FULL
    trusted_kos: _TrustedSelections = ()  # type: ignore[assignment]
    trusted_signer: _TrustedSigner = None

    def securing(self, trust: Trust, *, anchors: Sequence[Path] = ()) -> Securing:
        """Return how references are secured, trust material read and found sound.

        Raises:
            ConfigurationError: A file cannot be read, or a signer is demanded of no selection.
            TrustEvidenceError: A file holds no certificate or revocation list.
            ProfileError: The policy is unknown or malformed.
        """
        from sr.app.documents.securing import Securing

        if self.trusted_signer is not None and not (self.trusted_kos or anchors):
            raise ConfigurationError("--trusted-signer is about --trusted-kos and --anchor-kos")
        return Securing(
            check=trust.check_options(signer=self.trusted_signer),
            coverage=self.coverage,
            trusted=tuple(self.trusted_kos),
            anchors=tuple(anchors),
        )


def identity_of(policy: str | None) -> IdentityMapping:
    """Return who is who under a policy, or under that of the settings.

    Raises:
        ConfigurationError: The file cannot be read.
        ProfileError: The policy is unknown or malformed.
    """
    from sr.app.checks.check import named_policy
    from sr.app.settings import current_settings

    return named_policy(policy or current_settings().trust.policy).identity


TRUST = Trust()
SECURED = Secured()
"""The families where none of their options is given."""
