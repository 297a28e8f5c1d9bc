"""The search over the whole suite finds what is planted, of each kind and in each place."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from sr.errors import SRError
from tests.support.canary import PASSPHRASE_CANARY, PATIENT_CANARY, PIN_CANARY, VICTIM, leaks
from tests.support.leak_watch import LeakWatch
from tests.support.pki import Entity, demo_pki, private_key

_HEAD = """
import json, logging, subprocess, sys, warnings
import pytest
from sr.errors import ConfigurationError, ProfileViolationError, SRError
from sr.findings import Finding, Status
from sr.verification import Verdict
from tests.support.canary import *
from tests.support.pki import demo_pki

"""
_LEAKS = {
    "a PIN in an error": """
        with pytest.raises(SRError):
            raise ConfigurationError(f"the PIN {PIN_CANARY} is wrong")
    """,
    "a passphrase in a hint": """
        with pytest.raises(SRError):
            raise ConfigurationError("wrong", hint=f"not {PASSPHRASE_CANARY}")
    """,
    "a patient where an error is": """
        with pytest.raises(SRError):
            raise ConfigurationError("wrong", where=PATIENT_CANARY)
    """,
    "a patient in a finding": """
        finding = Finding(rule="X", status=Status.FAIL, message=VICTIM, cites="PS3.5 7")
        with pytest.raises(SRError):
            raise ProfileViolationError("refused", findings=(finding,))
    """,
    "an error that nobody sees": "str(ConfigurationError(PIN_CANARY))",
    "a patient in a log line": "logging.getLogger('sr.web').debug('report of %s', PATIENT_CANARY)",
    "a token's PIN in a log line": "logging.getLogger('other').warning('PIN %r', TOKEN_PIN)",
    "a patient on standard output": "print(PATIENT_CANARY)",
    "a patient as JSON": "print(json.dumps({'name': PATIENT_CANARY}))",
    "a patient as Python": "print(ascii({'name': PATIENT_CANARY}))",
    "a patient as bytes": "print(PATIENT_CANARY.encode('latin-1'), file=sys.stderr)",
    "a key as JSON": "print(json.dumps({'key': demo_pki().author.key_pem().decode()}))",
    "a key without its frame": "print(demo_pki().author.key_pem().decode().splitlines()[1])",
    "a child's standard error": """
        code = f"import sys; sys.stderr.write({PIN_CANARY!r})"
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    """,
    "a child's standard output": """
        code = f"print({PASSPHRASE_CANARY!r})"
        assert subprocess.check_output([sys.executable, "-c", code])
    """,
    "a child that shares our streams": """
        code = f"import sys; sys.stderr.write({PIN_CANARY!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
    """,
    "output that the test reads itself": """
        print(PIN_CANARY)
        assert capsys.readouterr().out
    """,
    "a secret where a patient may be shown": "print(PIN_CANARY)",
}
_SOUND = {
    "nothing": "print('fine'); logging.getLogger('sr').debug('fine')",
    "a patient who may be shown": "print(PATIENT_CANARY)",
    "a peer that prints a patient": """
        subprocess.run(["/bin/echo", PATIENT_CANARY], capture_output=True, check=True)
    """,
}
_ALLOWED = '@pytest.mark.shows("patient", reason="its purpose")\n'


def _test(number: int, name: str, body: str) -> str:
    indented = indent(dedent(body).strip(), "    ")
    marker = _ALLOWED if "may be shown" in name else ""
    return f"{marker}def test_{number}(capsys):\n{indented}\n\n"


@pytest.fixture
def outcomes(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> list[str]:
    """Return how tests with these bodies end under a watch of their own."""
    bodies: dict[str, str] = request.param
    tests = (_test(number, *each) for number, each in enumerate(bodies.items()))
    pytester.makepyfile(_HEAD + "".join(tests))
    ran = pytester.inline_run("-p", "no:cacheprovider", plugins=[LeakWatch()])
    reports = [each for each in ran.getreports("pytest_runtest_logreport") if each.failed]
    failed = {report.nodeid.rpartition("_")[2] for report in reports}
    return ["failed" if str(n) in failed else "passed" for n in range(len(bodies))]


_PLANTED = [
    pytest.mark.shows("patient", reason="plants what the search has to find"),
    pytest.mark.shows("secret", reason="plants what the search has to find"),
]


class TestPlanted:
    """Runs of tests that plant something."""

    pytestmark = _PLANTED

    @pytest.mark.parametrize("outcomes", [_LEAKS], indirect=True, ids=["leaks"])
    def test_each_leak_is_found(self, outcomes: list[str]) -> None:
        """A test that passes otherwise fails, wherever and however it shows something planted."""
        missed = [n for n, end in zip(_LEAKS, outcomes, strict=True) if end != "failed"]
        assert not missed

    @pytest.mark.parametrize("outcomes", [_SOUND], indirect=True, ids=["sound"])
    def test_nothing_else_is(self, outcomes: list[str]) -> None:
        """Silence, what a marker allows, and other people's programs are no leak."""
        assert set(outcomes) == {"passed"}

    def test_a_fixture_is_searched_too(self, pytester: pytest.Pytester) -> None:
        """What is shown while a fixture is set up or torn down counts."""
        pytester.makepyfile(
            _HEAD
            + "@pytest.fixture\ndef loud():\n    print(VICTIM)\n    yield\n    print(VICTIM)\n"
            "def test_quiet(loud): pass\n"
        )
        ran = pytester.inline_run("-p", "no:cacheprovider", plugins=[LeakWatch()])
        reports = ran.getreports("pytest_runtest_logreport")
        assert [each.when for each in reports if each.failed] == ["setup", "teardown"]

    def test_nothing_stays_watched(self, pytester: pytest.Pytester) -> None:
        """After the run every class is what it was before."""
        before = dict(vars(SRError))
        pytester.makepyfile("def test_nothing(): pass\n")
        pytester.inline_run("-p", "no:cacheprovider", plugins=[LeakWatch()])
        assert dict(vars(SRError)) == before


@pytest.mark.parametrize(
    "marker", ["()", "('patient')", "('patient', reason='')", "('keys', reason='x')"]
)
def test_a_marker_without_a_reason_is_refused(pytester: pytest.Pytester, marker: str) -> None:
    """Who shows something says what and why, or nothing runs."""
    pytester.makepyfile(f"import pytest\n@pytest.mark.shows{marker}\ndef test_nothing(): pass\n")
    ran = pytester.inline_run("-p", "no:cacheprovider", plugins=[LeakWatch()])
    assert ran.ret is pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "p256", "p384"])
def test_every_kind_of_key_is_known(kind: str) -> None:
    """A private key is found without its frame too; a certificate is none."""
    pki = demo_pki()
    key = Entity(certificate=pki.author.certificate, key=private_key(kind, "leak"))
    body = "".join(key.key_pem().decode().splitlines()[1:-1])
    assert leaks(body)
    assert not leaks(pki.author.pem.decode())
    assert not leaks("", PIN_CANARY[1:], PATIENT_CANARY[:9], VICTIM[2:], PASSPHRASE_CANARY[2:])
