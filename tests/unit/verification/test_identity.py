"""Who is who: observers, certificates and persons under a site's mapping."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest

from sr.codes import SignaturePurpose
from sr.errors import ProfileFormatError
from sr.findings import Indication, Status, SubIndication
from sr.trust import TrustPolicy, parse_policy
from sr.verification import Verdict
from tests.support.forge import Node, at, edited, insert, leaf, remove, sequence, set_value
from tests.support.pki import demo_pki, issue, name
from tests.support.signed import approved_report, check, sign

V, S = Indication, SubIndication
SITE = "id = 'site'\nextends = 'standard'\ntitle = 'Site'\ncites = 'site rules'\n"
ANNA = {"person": "anna", "names": ["Meier^Anna"], "subjects": ["*CN=Anna Meier,*"]}
SAM = {"person": "sam", "names": ["Weber^Sam"], "subjects": ["*CN=Sam Weber,*"]}


def _site(*persons: dict[str, object], by: tuple[str, ...] = ("name",)) -> TrustPolicy:
    rows = "".join(
        "[[identity.person]]\ncites = 'staff list'\n"
        + "".join(f"{key} = {value!r}\n" for key, value in person.items())
        for person in persons
    )
    return parse_policy(f"{SITE}[identity]\nby = {list(by)}\ncites = 'c'\n{rows}", "site.toml")


def _rules(verdict: Verdict, *statuses: Status) -> set[str]:
    return {f.rule for f in verdict.findings if f.status in (statuses or (Status.FAIL,))}


def test_the_people_of_the_mapping_pass() -> None:
    """A report by two people whom the site knows passes under its mapping."""
    assert check(approved_report(), policy=_site(ANNA, SAM)).indication is V.PASSED


@pytest.mark.parametrize(
    "persons",
    [
        [ANNA, SAM | {"names": ["Huber^Sam"]}],
        [ANNA, SAM | {"subjects": ["*CN=Sam Huber,*"]}],
        [ANNA],
        [ANNA, SAM | {"names": ["Meier^Anna"]}],
        [ANNA | {"names": ["Meier^Anna", "Weber^Sam"]}, SAM | {"names": ["Nobody"]}],
        [ANNA, {"person": "sam", "names": ["Weber^Sam"], "emails": ["sam@example.org"]}],
        [ANNA, {"person": "sam", "codes": ["4711"], "subjects": ["*CN=Sam Weber,*"]}],
    ],
    ids=["name", "subject", "unknown", "other name", "other holder", "mail", "code"],
)
def test_a_mapping_decides_who_was_named(persons: list[dict[str, object]]) -> None:
    """With a mapping, an observer who is not the signer's person is not PASSED."""
    verdict = check(approved_report(), policy=_site(*persons))
    assert (verdict.indication, verdict.sub_indication) == (
        V.INDETERMINATE,
        S.SIG_CONSTRAINTS_FAILURE,
    )
    assert "OBSERVER_IDENTITY" in _rules(verdict)


@pytest.mark.parametrize(
    "patterns",
    [
        {"names": ["weber^sam"]},
        {"names": ["Weber^*"]},
        {"names": ["Nobody", "Weber^Sam"]},
        {"subjects": ["*cn=sam weber*"]},
        {"subjects": ["*CN=Nobody*", "*CN=S?m Weber*"]},
    ],
)
def test_patterns_know_neither_case_nor_one_spelling(patterns: dict[str, object]) -> None:
    """Letter case does not count, patterns may be several and have wildcards."""
    assert check(approved_report(), policy=_site(ANNA, SAM | patterns)).indication is V.PASSED


@cache
def _coded(code: str = "4711", number: str = "4711") -> bytes:
    """Return a verified report whose observer has a code, by a signer whose certificate has one."""
    signer = issue(
        demo_pki().issuing, subject=name("S. W.", serial_number=number), slot="supervisor"
    )

    def add(nodes: list[Node]) -> None:
        observer = at(nodes, 0x0040A073).items
        assert observer is not None
        item = [
            leaf(0x00080100, "SH", code),
            leaf(0x00080102, "SH", "99STAFF"),
            leaf(0x00080104, "LO", "Sam Weber"),
        ]
        remove(observer[0], 0x0040A088)
        insert(observer[0], sequence(0x0040A088, item))

    bare = edited(approved_report(), _without_signatures, add)
    return sign(bare, signer, SignaturePurpose.VERIFICATION)


def _without_signatures(nodes: list[Node]) -> None:
    remove(nodes, 0x4FFE0001, 0xFFFAFFFA)


@pytest.mark.parametrize(
    ("code", "number", "by", "expected"),
    [
        ("4711", "4711", ("serialnumber",), V.PASSED),
        ("4711", "4711", ("name", "serialnumber"), V.PASSED),
        ("4711", "4712", ("serialnumber",), V.INDETERMINATE),
        ("4711", "4711", ("email", "uid"), V.INDETERMINATE),
        ("4711", "4711", (), V.INDETERMINATE),
        ("4712", "4711", ("name", "serialnumber"), V.INDETERMINATE),
    ],
)
def test_an_identification_code_decides(
    code: str, number: str, by: tuple[str, ...], expected: Indication
) -> None:
    """Where the site says that a code decides, the certificate has to hold the observer's code."""
    assert check(_coded(code, number), policy=_site(by=by)).indication is expected


@pytest.mark.parametrize(
    ("codes", "expected"),
    [(["4711"], V.PASSED), (["4711^99STAFF"], V.PASSED), (["4711^99OTHER"], V.INDETERMINATE)],
)
def test_a_person_may_be_known_by_code(codes: list[str], expected: Indication) -> None:
    """A listed person is named by value, or by value and scheme."""
    sam: dict[str, object] = {"person": "sam", "codes": codes, "subjects": ["*CN=S. W.*"]}
    assert check(_coded(), policy=_site(sam)).indication is expected


def test_without_a_mapping_a_difference_is_a_warning() -> None:
    """The shipped policies warn of a name that the certificate does not bear."""
    verdict = check(_coded(), policy="standard")
    assert verdict.indication is V.PASSED
    assert "OBSERVER_IDENTITY" in _rules(verdict, Status.WARN)


def test_a_person_signs_only_for_purposes_of_the_role() -> None:
    """Somebody whom the site lets write reports does not approve them."""
    policy = _site(ANNA | {"purposes": ["1"]}, SAM | {"purposes": ["1"]})
    assert _rules(check(approved_report(), policy=policy)) == {"SIGNER_ROLE"}
    policy = _site(ANNA | {"purposes": ["1"]}, SAM | {"purposes": ["5", "6"]})
    assert not _rules(check(approved_report(), policy=policy))


ALIASES = {
    "person": "anna",
    "names": ["Meier^Anna", "Weber^Sam"],
    "subjects": ["*CN=Anna Meier,*", "*CN=Sam Weber,*"],
}


def test_an_alias_is_the_same_person() -> None:
    """Two certificates and names that the site calls one person's are not four eyes."""
    verdict = check(approved_report(), policy=_site(ALIASES))
    assert (verdict.indication, _rules(verdict)) == (V.FAILED, {"FOUR_EYES"})


@cache
def _by_a_namesake(slot: str) -> bytes:
    twin = issue(demo_pki().issuing, subject=name("Anna Meier", serial_number="2"), slot=slot)
    bare = edited(approved_report(), _without_last_signature)
    return sign(bare, twin, SignaturePurpose.VERIFICATION, uid="2.25.4711.8")


def _without_last_signature(nodes: list[Node]) -> None:
    for tag in (0x4FFE0001, 0xFFFAFFFA):
        items = at(nodes, tag).items
        assert items is not None
        items.pop()


TWIN = {"person": "twin", "names": ["Weber^Sam"], "subjects": ["*serialNumber=2*"]}
FIRST = {"person": "anna", "names": ["Meier^Anna"], "subjects": ["CN=Anna Meier,O=*"]}


def test_namesakes_need_the_mapping() -> None:
    """Two people of one name are one person, unless the site knows them as two."""
    data = _by_a_namesake("twin")
    assert "FOUR_EYES" in _rules(check(data))
    assert "FOUR_EYES" in _rules(check(data, policy=_site(FIRST)))
    assert "FOUR_EYES" not in _rules(check(data, policy=_site(FIRST, TWIN)))


def test_two_people_have_two_keys() -> None:
    """Two entries of the mapping with one key are one person all the same."""
    assert "FOUR_EYES" in _rules(check(_by_a_namesake("author"), policy=_site(FIRST, TWIN)))


def test_a_renewed_certificate_makes_no_second_person() -> None:
    """The author approves with a new certificate and a new key: FAILED, with or without mapping."""
    renewed = issue(demo_pki().issuing, "Anna Meier", slot="renewed")
    bare = edited(approved_report(), _without_last_signature)
    data = sign(bare, renewed, SignaturePurpose.VERIFICATION, uid="2.25.4711.8")
    for policy in ("standard", "interop", _site(ANNA, SAM)):
        assert check(data, policy=policy).indication is V.FAILED


AUTHORS, PERSON_NAME = 0x0040A078, 0x0040A123


def _approved_without_author_signature(*observers: str, by: str = "Anna Meier") -> bytes:
    """Return a report of these authors that only its approver signed."""

    def edit(nodes: list[Node]) -> None:
        remove(nodes, 0x4FFE0001, 0xFFFAFFFA)
        (one,) = at(nodes, AUTHORS).items or ()
        at(nodes, AUTHORS).items = [deepcopy(one) for _ in observers]
        for number, observer in enumerate(observers):
            set_value(AUTHORS, number, PERSON_NAME, to=observer)(nodes)

    approver = issue(demo_pki().issuing, by, slot="approver")
    bare = edited(approved_report(), edit)
    return sign(bare, approver, SignaturePurpose.VERIFICATION, uid="2.25.4711.8")


@pytest.mark.parametrize("author", ["Meier^Anna", "MEIER^ANNA", "Meier^Anna^^Dr."])
def test_an_author_without_author_signature_approves_nothing(author: str) -> None:
    """The only author whom a report names is its author: FAILED where the site says who is who."""
    data = _approved_without_author_signature(author)
    verdict = check(data, policy=_site(ANNA | {"names": ["Meier^Anna*"]}, SAM))
    assert verdict.indication is V.FAILED
    assert "FOUR_EYES" in _rules(verdict)
    (said,) = (f for f in check(data).findings if f.rule == "FOUR_EYES")
    assert said.status is Status.WARN


@pytest.mark.parametrize(
    "observers",
    [["Weber^Sam"], ["Meier"], ["Meier^Anton"], ["Meier^Anna", "Weber^Sam"], [""]],
    ids=["another", "family name only", "relative", "one of two", "nobody"],
)
def test_an_approver_who_did_not_write_alone_is_a_second_person(observers: list[str]) -> None:
    """A report that names another author, a second one or none is not its approver's alone."""
    data = _approved_without_author_signature(*observers)
    assert "FOUR_EYES" not in _rules(check(data, policy=_site(ANNA, SAM)))
    assert not [f for f in check(data).findings if f.rule == "FOUR_EYES"]


@pytest.mark.parametrize(
    "text",
    [
        "[identity]\nby = ['shoe size']\ncites = 'c'\n",
        "[identity]\nby = ['name']\n",
        "[[identity.person]]\nperson = 'a'\nnames = ['A']\nsubjects = ['*']\n",
        "[[identity.person]]\nperson = 'a'\nnames = ['A']\ncites = 'c'\n",
        "[[identity.person]]\nperson = 'a'\nsubjects = ['*']\ncites = 'c'\n",
        "[[identity.person]]\nnames = ['A']\nsubjects = ['*']\ncites = 'c'\n",
        "[[identity.person]]\nperson = 'a'\nname = 'A'\nsubjects = ['*']\ncites = 'c'\n",
        "[[identity.person]]\nperson='a'\nnames=['A']\nsubjects=['*']\npurposes=['99']\ncites='c'\n",
    ],
)
def test_a_mapping_that_is_none_does_not_load(text: str) -> None:
    """An unknown kind, key or purpose, or a person who cannot be found, is an error."""
    with pytest.raises(ProfileFormatError):
        parse_policy(SITE + text, "site.toml")
