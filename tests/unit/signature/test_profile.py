"""Signature profiles: what does not load, and what each question of PS3.15 6.3 refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sr.codes import Code, SignaturePurpose
from sr.dicomfile import tag_for_keyword
from sr.errors import ProfileFormatError, UnknownProfileError
from sr.findings import SubIndication
from sr.signature.profile import (
    ProfileSubject,
    Use,
    applies,
    check_profile,
    load_profile,
    parse_profile,
)

SHIPPED = [
    "base-rsa",
    "structured-report",
    "structured-report-verification",
    "basic-sr-secure-use",
]

SOUND = """
id = "site"
extends = "base-rsa"
title = "Site profile"
cites = "PS3.15 C.1"
edition = "2024d"
"""


def _with(text: str) -> str:
    return SOUND + text


@pytest.mark.parametrize("profile_id", SHIPPED)
def test_shipped_profiles_load(profile_id):
    """Every shipped profile is valid, and names each attribute rule's clause."""
    profile = load_profile(profile_id)
    assert profile.id == profile_id
    assert profile.cites
    assert all(rule.cites for rule in profile.attributes)


def test_a_site_profile_extends_a_shipped_one():
    """A profile inherits what it does not say."""
    profile = parse_profile(_with(""), "site.toml")
    assert profile.id == "site"
    assert profile.key_types == load_profile("base-rsa").key_types


def test_attribute_rules_add_up():
    """The verification profile demands what the report profile demands, and more."""
    report = load_profile("structured-report").attributes
    assert load_profile("structured-report-verification").attributes[: len(report)] == report


@pytest.mark.parametrize("profile_id", ["", "nonsense", "../trust/standard", "base-rsa.toml"])
def test_unknown_profile(profile_id):
    """An id that is no shipped profile is refused, whatever else it may name."""
    with pytest.raises(UnknownProfileError):
        load_profile(profile_id)


INVALID = {
    "not TOML": "id = ",
    "nothing": "",
    "empty citation": SOUND.replace('"PS3.15 C.1"', '" "'),
    "unknown key": _with('colour = "red"'),
    "unknown table": _with('[colours]\ncites = "x"'),
    "unknown key in a table": _with('[mac]\nsign = ["SHA256"]\ncites = "PS3.15 C.1"'),
    "table without citation": _with('[mac]\ncreate = ["SHA256"]'),
    "attribute rule without citation": _with(
        '[attributes]\ncites = "x"\n[[attributes.require]]\n'
        'keywords = ["SOPClassUID"]\npresence = "always"'
    ),
    "unknown attribute": _with(
        '[attributes]\ncites = "x"\n[[attributes.require]]\n'
        'keywords = ["SOPClasUID"]\npresence = "always"\ncites = "x"'
    ),
    "unknown presence": _with(
        '[attributes]\ncites = "x"\n[[attributes.require]]\n'
        'keywords = ["SOPClassUID"]\npresence = "sometimes"\ncites = "x"'
    ),
    "unknown MAC algorithm": _with('[mac]\ncreate = ["SHA-256"]\ncites = "PS3.15 C.1"'),
    "unknown key type": _with('[signature]\nkey_types = ["rsa"]\ncites = "PS3.15 C.1"'),
    "unknown purpose": _with('[conditions]\npurpose = ["05"]\ncites = "PS3.15 C.1"'),
    "unknown condition": _with(
        '[conditions]\nwhen = { VerificationFlags = "VERIFIED" }\ncites = "PS3.15 C.1"'
    ),
    "unknown level": _with('[conditions]\nlevel = "bottom"\ncites = "PS3.15 C.1"'),
    "unknown requirement": _with('[references]\nsecured = "every-item"\ncites = "PS3.15 A.4"'),
    "unknown time-stamp requirement": _with(
        '[timestamp]\nrequirement = "wanted"\ncites = "PS3.15 C.1"'
    ),
    "flag of another type": _with('[signature]\npurpose_required = "yes"\ncites = "PS3.15 C.1"'),
    "list of another type": _with('[mac]\ncreate = "SHA256"\ncites = "PS3.15 C.1"'),
    "same term twice": _with('[mac]\ncreate = ["SHA256", "SHA256"]\ncites = "PS3.15 C.1"'),
    "extends itself": SOUND.replace('"base-rsa"', '"site"'),
}


@pytest.mark.parametrize("name", INVALID)
def test_profile_that_does_not_load(name):
    """A rule that would have no effect, or no clause, keeps the whole profile from loading."""
    with pytest.raises((ProfileFormatError, UnknownProfileError)):
        parse_profile(INVALID[name], "site.toml")


def test_profile_extending_nothing_known():
    """A profile may only extend a shipped one."""
    with pytest.raises(UnknownProfileError):
        parse_profile(SOUND.replace("base-rsa", "base-dsa"), "site.toml")


TAGS = frozenset(
    map(tag_for_keyword, ["SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "ValueType"])
)
SUBJECT = ProfileSubject(
    present=TAGS,
    signed=TAGS,
    at_top_level=True,
    values={"VerificationFlag": "UNVERIFIED", "CompletionFlag": "COMPLETE"},
    purpose=SignaturePurpose.AUTHOR.code,
    mac_algorithm="SHA256",
    key_type="RSA",
)


def _rules(subject: ProfileSubject, profile: str = "basic-sr-secure-use", use: Use = Use.CREATE):
    return {f.rule for f in check_profile(load_profile(profile), subject, use)}


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize("profile", ["base-rsa", "structured-report", "basic-sr-secure-use"])
def test_a_signature_that_conforms(profile, use):
    """The subject the faults start from conforms."""
    assert _rules(SUBJECT, profile, use) == set()


FAULTS = {
    "class not signed": ({"signed": TAGS - {0x00080016}}, "SR_MIN"),
    "class absent": ({"present": TAGS - {0x00080016}, "signed": TAGS - {0x00080016}}, "SR_MIN"),
    "listed but absent": ({"present": TAGS - {0x0020000E}}, "SR_MIN"),
    "present and not signed": ({"present": TAGS | {0x0040A730}}, "SR_MIN"),
    "predecessors not signed": ({"present": TAGS | {0x0040A360}}, "SR_MIN"),
    "unknown algorithm": ({"mac_algorithm": "SHA3_256"}, "PROFILE_MAC"),
    "nonsense algorithm": ({"mac_algorithm": ""}, "PROFILE_MAC"),
    "EC": ({"key_type": "EC"}, "PROFILE_KEY_TYPE"),
    "unreadable": ({"key_type": "unreadable"}, "PROFILE_KEY_TYPE"),
    "certificate type": ({"certificate_type": "X509_1993"}, "PROFILE_CERTIFICATE_TYPE"),
    "no purpose": ({"purpose": None}, "SR_PURPOSE"),
    "foreign purpose": ({"purpose": Code("121028", "DCM", "?")}, "SR_PURPOSE"),
    "unknown purpose": ({"purpose": Code("99", "ASTM-sigpurpose", "?")}, "SR_PURPOSE"),
    "meaning of another": (
        {"purpose": Code("1", "ASTM-sigpurpose", "Verification Signature")},
        "SR_PURPOSE",
    ),
    "meaning of none": (
        {"purpose": Code("1", "ASTM-sigpurpose", "Approved")},
        "SR_PURPOSE_MEANING",
    ),
    "time-stamp of another kind": ({"timestamp_type": "TSP"}, "PROFILE_TIMESTAMP"),
    "nested": ({"at_top_level": False}, "PROFILE_LEVEL"),
    "evidence without proof": ({"unsecured": ("(0040,A375)[0]",)}, "EVIDENCE_UNSECURED"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_profile_refuses(name):
    """Each fault breaks its rule and no other, when signing and when checking."""
    change, rule = FAULTS[name]
    subject = replace(SUBJECT, **change)
    assert _rules(subject) == _rules(subject, use=Use.ACCEPT) == {rule}


@pytest.mark.parametrize("weak", ["MD5", "SHA1", "RIPEMD160"])
def test_weak_algorithms_are_accepted_and_not_created(weak):
    """A validator handles all six digests of C.1, a creator chooses none of the weak ones."""
    subject = replace(SUBJECT, mac_algorithm=weak)
    assert _rules(subject, use=Use.ACCEPT) == set()
    assert _rules(subject, use=Use.CREATE) == {"PROFILE_MAC"}


def test_each_missing_attribute_is_named():
    """A finding names the attribute, and the clause that wants it."""
    subject = replace(SUBJECT, signed=frozenset())
    found = check_profile(load_profile("structured-report"), subject, Use.CREATE)
    assert {f.where for f in found} == {
        "(0008,0016)", "(0020,000D)", "(0020,000E)", "(0040,A040)",
    }  # fmt: skip
    assert {f.cites for f in found} == {"PS3.15 C.4 a", "PS3.15 C.4 b", "PS3.15 C.4 h"}


def test_unsecured_evidence_is_undecided():
    """An evidence item without proof has its own sub-indication, each item its finding."""
    subject = replace(SUBJECT, unsecured=("a", "b"))
    found = check_profile(load_profile("basic-sr-secure-use"), subject, Use.ACCEPT)
    assert [f.where for f in found] == ["a", "b"]
    assert {f.sub_indication for f in found} == {SubIndication.EVIDENCE_UNSECURED}
    assert _rules(subject, "structured-report") == set()


VERIFIED = {"VerificationFlag": "VERIFIED", "CompletionFlag": "COMPLETE"}
FIVE = SignaturePurpose.VERIFICATION.code


@pytest.mark.parametrize(
    ("values", "purpose", "expected"),
    [
        (VERIFIED, FIVE, True),
        (VERIFIED, SignaturePurpose.AUTHOR.code, False),
        (VERIFIED, None, False),
        (VERIFIED, Code("5", "DCM", "Verification Signature"), False),
        (SUBJECT.values, FIVE, False),
        ({}, FIVE, False),
    ],
)
def test_conditions_of_the_verification_profile(values, purpose, expected):
    """The verification profile is about purpose 5 on a verified report."""
    subject = replace(SUBJECT, values=values, purpose=purpose)
    assert applies(load_profile("structured-report-verification"), subject) is expected
    assert applies(load_profile("structured-report"), subject)


@pytest.mark.parametrize(
    "keyword", ["SOPInstanceUID", "VerificationFlag", "VerifyingObserverSequence"]
)
def test_minimum_of_a_verification_signature(keyword):
    """A verification signature covers the instance, the flag and the observer."""
    added = frozenset(
        map(tag_for_keyword, ["SOPInstanceUID", "VerificationFlag", "VerifyingObserverSequence"])
    )
    whole = replace(
        SUBJECT, present=TAGS | added, signed=TAGS | added, purpose=FIVE, values=VERIFIED
    )
    assert _rules(whole, "structured-report-verification") == set()
    less = replace(whole, signed=whole.signed - {tag_for_keyword(keyword)})
    assert _rules(less, "structured-report-verification") == {"SR_MIN"}


TIMESTAMPED = _with('[timestamp]\nrequirement = "{}"\ntypes = ["CMS_TSP"]\ncites = "PS3.15 C.1"\n')


@pytest.mark.parametrize(
    ("requirement", "kind", "conforms"),
    [
        ("required", "CMS_TSP", True),
        ("required", "", False),
        ("required", "CMS_TS", False),
        ("forbidden", "", True),
        ("forbidden", "CMS_TSP", False),
        ("optional", "", True),
        ("optional", "CMS_TSP", True),
        ("optional", "CMS_TS", False),
    ],
)
def test_time_stamp_requirements(requirement, kind, conforms):
    """A profile may want a time-stamp, forbid it, or leave it open."""
    profile = parse_profile(TIMESTAMPED.format(requirement), "site.toml")
    found = check_profile(profile, replace(SUBJECT, timestamp_type=kind), Use.ACCEPT)
    assert (found == ()) is conforms
