"""How far one entry of a PIN reaches: signing policies, loaded from ``profiles/signing``.

Cites: PS3.15 6.3 (a profile may say how signatures are made); Regulation (EU) 910/2014 Article 26.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sr.errors import UnknownProfileError
from sr.resources import resource_root
from sr.rulefile import RuleTable, read_rules

__all__ = ["SigningPolicy", "load_signing_policy", "parse_signing_policy", "signing_policy_ids"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """The limits of a session.

    Cites: Regulation (EU) 910/2014 Article 26 (c).
    """

    id: str
    title: str
    cites: str
    documents: int
    """Signatures after one entry of the PIN."""
    lifetime: timedelta
    """How long after it."""
    unattended: bool
    """Whether a whole stack may be confirmed beforehand."""


@cache
def load_signing_policy(policy_id: str) -> SigningPolicy:
    """Return a shipped policy.

    Raises:
        UnknownProfileError: None has that id.
        ProfileFormatError: The file is not a valid policy.

    Cites: PS3.15 6.3.
    """
    return parse_signing_policy(_text_of(policy_id), f"{policy_id}.toml")


def parse_signing_policy(text: str, name: str) -> SigningPolicy:
    """Return the policy in a TOML text, which may extend a shipped one.

    Raises:
        UnknownProfileError: It extends a policy that does not exist.
        ProfileFormatError: It is not a valid policy.

    Cites: PS3.15 6.3.
    """
    table = read_rules(text, name, _text_of)
    session, confirmation = table.table("session"), table.table("confirmation")
    table.text("extends", "")
    policy = SigningPolicy(
        id=table.text("id"),
        title=table.text("title"),
        cites=table.cites,
        documents=_at_least_one(session, "documents"),
        lifetime=timedelta(minutes=_at_least_one(session, "minutes")),
        unattended=confirmation.flag("unattended"),
    )
    table.done()
    return policy


def signing_policy_ids() -> tuple[str, ...]:
    """Return the ids of the policies that come with srsign.

    Cites: PS3.15 6.3.
    """
    names = (entry.name for entry in (resource_root("profiles") / "signing").iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def _at_least_one(table: RuleTable, key: str) -> int:
    number = table.integer(key)
    if number < 1:
        raise table.error(f"{key!r} must be at least 1")
    return number


def _text_of(policy_id: str) -> str:
    if policy_id not in signing_policy_ids():
        raise UnknownProfileError(
            f"no signing policy {policy_id!r}", hint=f"known: {', '.join(signing_policy_ids())}"
        )
    folder = resource_root("profiles") / "signing"
    return (folder / f"{policy_id}.toml").read_text(encoding="utf-8")
