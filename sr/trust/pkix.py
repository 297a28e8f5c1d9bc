"""The constraints of RFC 5280 on a path, judged by ``pyhanko_certvalidator``.

CA flag, path length, name constraints, policies. Revocation is switched off *explicitly* and
algorithms are all allowed, because rules of our own judge both: the validator's modes ``soft-fail``
and ``hard-fail`` ignore a supplied CRL when the certificate names no distribution point. Nothing
is fetched and no event loop runs.

Importing this module is slow; only ``path`` does, when there is a path to validate.

Cites: RFC 5280 6.1; RFC 5937 3.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from asn1crypto import x509
from pyhanko_certvalidator.authority import (
    CertTrustAnchor,
    TrustQualifiers,
    derive_quals_from_cert,
)
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError
from pyhanko_certvalidator.name_trees import (
    default_excluded_subtrees,
    default_permitted_subtrees,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
    PKIXValidationParams,
)
from pyhanko_certvalidator.validate import async_validate_path

from sr.trust.certificate import Certificate
from sr.trust.policy import CertificatePolicies

__all__ = ["refusal"]


@lru_cache(maxsize=256)
def refusal(
    path: tuple[Certificate, ...], moment: datetime, policies: CertificatePolicies
) -> str | None:
    """Return why a path breaks a constraint, or ``None``.

    Args:
        path: Signer first, anchor last; at least two.
        moment: A time at which all certificates below the anchor are valid.
        policies: What path validation starts from.

    Cites: RFC 5280 6.1.
    """
    try:
        _validate(path, moment, policies)
    except (PathError, ValidationError) as refused:
        return str(refused)
    except Exception as exc:
        return f"a certificate of the path cannot be read: {exc}"
    return None


def _validate(
    path: tuple[Certificate, ...], moment: datetime, policies: CertificatePolicies
) -> None:
    signer, *middle, top = (x509.Certificate.load(each.der) for each in path)
    anchor = CertTrustAnchor(top, _own_constraints(top))
    context = ValidationContext(
        trust_roots=[anchor],
        moment=moment,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
        algorithm_usage_policy=AcceptAllAlgorithms(),
        time_tolerance=timedelta(0),
    )
    demanded = PKIXValidationParams(
        user_initial_policy_set=policies.accepted or frozenset(["any_policy"]),
        initial_explicit_policy=policies.required,
        initial_policy_mapping_inhibit=policies.inhibit_mapping,
        initial_any_policy_inhibit=policies.inhibit_any,
    )
    checked = ValidationPath(anchor, middle[::-1], signer)
    _finish(async_validate_path(context, checked, demanded))


def _own_constraints(anchor: x509.Certificate) -> TrustQualifiers:
    """Return the path length and name constraints in an anchor's own certificate.

    Its dates are not among them, and its certificate policies bind nobody unless asked for.

    Cites: RFC 5937 3.
    """
    derived = derive_quals_from_cert(anchor)
    names = derived.standard_parameters
    if names is not None:
        # The validator wants every kind of name, or it refuses those that are not mentioned.
        names = replace(
            names,
            initial_permitted_subtrees=default_permitted_subtrees()
            | (names.initial_permitted_subtrees or {}),
            initial_excluded_subtrees=default_excluded_subtrees()
            | (names.initial_excluded_subtrees or {}),
            user_initial_policy_set=frozenset(["any_policy"]),
            initial_explicit_policy=False,
        )
    return TrustQualifiers(
        standard_parameters=names,
        max_path_length=derived.max_path_length,
        max_aa_path_length=derived.max_path_length,
    )


def _finish(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine that has nothing to wait for, whether or not an event loop is running."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("path validation wanted to wait for something")
