"""Trust in signers and time-stamps: policy, certification path, revocation, times."""

from sr.trust.certificate import CertificateSummary, subject_name
from sr.trust.evaluate import SignerTrust, evaluate_signer
from sr.trust.identity import same_person
from sr.trust.material import TrustMaterial, parse_certificates, parse_crls, parse_ocsp
from sr.trust.person import person_of
from sr.trust.policy import TrustPolicy
from sr.trust.policy_file import load_policy, parse_policy
from sr.trust.timestamp_trust import TimestampTrust, evaluate_timestamp

__all__ = [
    "CertificateSummary",
    "SignerTrust",
    "TimestampTrust",
    "TrustMaterial",
    "TrustPolicy",
    "evaluate_signer",
    "evaluate_timestamp",
    "load_policy",
    "parse_certificates",
    "parse_crls",
    "parse_ocsp",
    "parse_policy",
    "person_of",
    "same_person",
    "subject_name",
]
