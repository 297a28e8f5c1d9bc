"""What python-pkcs11 raises becomes ours, every class of it, and says nothing it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr.errors import (
    ConfigurationError,
    PINError,
    SignerRefusedError,
    SignerUnavailableError,
    SigningError,
    UnsupportedAlgorithmError,
)

pytest.importorskip("pkcs11")

from pkcs11 import exceptions

from sr.keys.cryptoki import CryptokiModule, converted
from tests.support.canary import PIN_CANARY as CANARY

EVERY = [exceptions.PKCS11Error, *exceptions.PKCS11Error.__subclasses__()]


@pytest.mark.parametrize("kind", EVERY)
def test_every_failure_becomes_a_signing_error(kind: type[Exception]) -> None:
    """No exception of the library escapes, and its own text is not repeated."""
    with pytest.raises(SigningError) as caught, converted():
        raise kind(CANARY)
    assert type(caught.value.__cause__) is kind
    assert str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "meaning"),
    [
        (("PinIncorrect", "PinLocked", "PinLenRange", "PinInvalid", "PinExpired"), PINError),
        (("UserPinNotInitialized",), PINError),
        (("FunctionCancelled", "FunctionRejected", "KeyTypeInconsistent"), SignerRefusedError),
        (("MechanismInvalid", "DataLenRange", "KeySizeRange"), UnsupportedAlgorithmError),
        (("DeviceRemoved", "TokenNotPresent", "DeviceError"), SignerUnavailableError),
        (("GeneralError", "SessionHandleInvalid", "ObjectHandleInvalid"), SignerUnavailableError),
        (("UserAlreadyLoggedIn", "UserNotLoggedIn"), SignerUnavailableError),
    ],
)
def test_failures_mean_what_a_caller_can_do(
    names: tuple[str, ...], meaning: type[SigningError]
) -> None:
    """PIN, refusal, algorithm and absence are told apart."""
    for name in names:
        with pytest.raises(SigningError) as caught, converted():
            raise getattr(exceptions, name)
        assert type(caught.value) is meaning


def test_other_exceptions_pass() -> None:
    """A mistake in our own code is not disguised as a failed token."""
    with pytest.raises(ZeroDivisionError), converted():
        raise ZeroDivisionError


@pytest.mark.parametrize("path", ["none.so", "text.so", "."])
def test_what_is_no_module_is_a_configuration_error(tmp_path: Path, path: str) -> None:
    """An absent file, a text file and a folder are no PKCS #11 modules."""
    (tmp_path / "text.so").write_text("no library")
    module = CryptokiModule(tmp_path / path)
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            module.tokens()
        module.reset()
