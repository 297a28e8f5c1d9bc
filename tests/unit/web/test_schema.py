"""Schemathesis over the OpenAPI file: no fault of the service, no answer that is not described."""

from __future__ import annotations

import contextlib
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks as openapi_checks

from sr.service.access import Role
from sr.store.people import User, add_user
from tests.support.service import Service, open_service

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
)
REFUSED = [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 428, 503]
CONFIG = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}}
)
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service with somebody who may do everything."""
    service = open_service(tmp_path_factory.mktemp("schema"), slices=1)
    everybody = User(
        id="everybody",
        login="everybody",
        display_name="Everybody",
        person_name="Every^Body",
        organization="srsign",
        roles=tuple(Role),
        created_at=service.clock(),
    )
    with service.context.database.write() as connection:
        add_user(connection, everybody)
    return service


BOTH = tuple(GenerationMode)


def _checks_of(case: schemathesis.Case) -> tuple[Any, ...]:
    """Leave out the last check for what is only meant to be bad.

    The key of the caller is always sent, and an empty list in a query sends nothing.
    """
    assert case.meta is not None
    bad = {kind for kind, each in case.meta.components.items() if each.mode.is_negative}
    sent = all(value not in (None, [], {}, ()) for value in dict(case.query or {}).values())
    meant = bad - {ParameterLocation.HEADER, *(() if sent else (ParameterLocation.QUERY,))}
    return CHECKS if meant else CHECKS[:-1]


def _tried(service: Service, examples: int, *modes: tuple[GenerationMode, ...]) -> int:
    """Send that many requests to each operation, of the modes in turn; return how many."""
    client = service.client("everybody")
    api = schemathesis.openapi.from_asgi("/openapi.json", client.app, config=CONFIG)
    wanted = api.include(path_regex=r"^/(api/v1/|livez)").exclude(path_regex="/events$")
    headers = dict(client.headers)
    count = 0
    for found, chosen in zip(wanted.get_all_operations(), cycle(modes), strict=False):
        operation = found.ok()
        for mode in chosen:

            @settings(max_examples=examples, phases=[Phase.generate], **QUIET)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                nonlocal count
                count += 1
                case.call_and_validate(headers=headers, checks=_checks_of(case))

            with contextlib.suppress(Unsatisfiable):  # an operation that nothing can be wrong about
                ask()
    return count


def test_a_sample_of_requests_is_answered_as_described(service: Service) -> None:
    """A request to each operation, good and bad in turn, gets an answer that is described."""
    assert _tried(service, 1, *((mode,) for mode in BOTH)) > 50


@pytest.mark.prove
def test_many_requests_are_answered_as_described(service: Service) -> None:
    """Many requests to each operation give no fault, and no answer beside the description."""
    count = _tried(service, 60, BOTH)
    print(f"requests {count}, faults 0, answers beside the description 0")  # noqa: T201
    assert count > 5000
