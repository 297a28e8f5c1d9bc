"""Which error is which exit code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sr import errors
from sr.cli.exit_codes import EXIT_CODES, exit_code_of
from sr.errors import ConfigurationError, SRError

PUBLISHED = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 130}

EXPECTED = {
    errors.DatasetError: 1,
    errors.NotDICOMError: 1,
    errors.LimitError: 1,
    errors.EncodingError: 1,
    errors.SignatureFormatError: 1,
    errors.ProfileError: 1,
    errors.ProfileFormatError: 1,
    errors.UnknownProfileError: 2,
    errors.ProfileViolationError: 1,
    errors.DocumentError: 1,
    errors.EvidenceError: 1,
    errors.TemplateError: 1,
    errors.LifecycleError: 1,
    errors.SigningError: 1,
    errors.SignerUnavailableError: 20,
    errors.SignerRefusedError: 1,
    errors.PINError: 21,
    errors.MismatchError: 1,
    errors.UnsupportedAlgorithmError: 1,
    errors.TrustEvidenceError: 1,
    errors.ExternalServiceError: 1,
    errors.TimestampError: 22,
    errors.ConfigurationError: 2,
    errors.VerdictError: 1,
}


def _descendants(kind: type[SRError]) -> Iterator[type[SRError]]:
    for child in kind.__subclasses__():
        if child.__module__ == "sr.errors":
            yield child
        yield from _descendants(child)


# What a service refuses is, for the program that asked it, a job that could not be done.
EXPECTED |= dict.fromkeys((errors.ServiceError, *_descendants(errors.ServiceError)), 1)


def test_every_error_has_an_exit_code() -> None:
    """Each class of the error tree is in the table of this test, so none is forgotten."""
    assert set(_descendants(SRError)) == set(EXPECTED)


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_an_error_ends_with_its_code(kind: type[SRError]) -> None:
    """Each class ends with the code of the contract."""
    assert exit_code_of(kind("x")) == EXPECTED[kind]


def test_codes_are_published() -> None:
    """No error ends with a code that the contract does not list, none with 0."""
    assert set(EXIT_CODES.values()) <= PUBLISHED - {0}


def test_a_path_that_the_system_will_not_open_is_no_mistake_in_the_usage() -> None:
    """A configuration error that was an OSError means that the job could not be done."""
    error = ConfigurationError("x")
    error.__cause__ = PermissionError("denied")
    assert exit_code_of(error) == 1


def test_a_malformed_argument_is_a_mistake_in_the_usage() -> None:
    """A configuration error that was a ValueError is still about the usage."""
    error = ConfigurationError("x")
    error.__cause__ = ValueError("no number")
    assert exit_code_of(error) == 2


def test_a_class_that_is_not_named_has_the_code_of_its_ancestor() -> None:
    """A subclass made later inherits the code."""

    class CardRemovedError(errors.SignerUnavailableError):
        pass

    assert exit_code_of(CardRemovedError("x")) == 20
