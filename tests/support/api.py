"""What tests say to the API again and again."""

from __future__ import annotations

import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi.testclient import TestClient

from sr.codes import SignaturePurpose
from sr.document.template import load_template
from sr.service.operation.demonstration import chain_of
from sr.web.application import create_application
from tests.support.service import Service

__all__ = ["VALUES", "code_of", "path_of", "served", "sign", "tag_of"]

VALUES = {"values": tomllib.loads(load_template("ct-chest").example), "template": "ct-chest"}
"""What a report says."""


def sign(
    service: Service,
    client: TestClient,
    document: dict[str, Any],
    purpose: SignaturePurpose,
    certificate: str,
) -> dict[str, Any]:
    """Sign with the key that the demonstration holds; return the session."""
    opened = client.post(
        "/api/v1/signing-sessions",
        json={
            "items": [
                {"sop_instance_uid": document["sop_instance_uid"], "if_match": document["sha256"]}
            ],
            "purpose": purpose.slug,
            "certificate_chain": chain_of(service.world.pki, certificate).decode(),
        },
    )
    assert opened.status_code == 201, opened.text
    answer = client.post(f"/api/v1/signing-sessions/{opened.json()['id']}/sign")
    assert answer.status_code == 200, answer.text
    assert [each["indication"] for each in answer.json()["results"]] == ["PASSED"]
    return opened.json()


def path_of(document: dict[str, Any], below: str = "") -> str:
    """Return the address of a report."""
    return f"/api/v1/reports/{document['sop_instance_uid']}{below}"


def tag_of(document: dict[str, Any]) -> dict[str, str]:
    """Return the header that says what was seen."""
    return {"If-Match": f'"{document["sha256"]}"'}


def code_of(answer: Any) -> str:
    """Return the slug of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["type"].removeprefix("urn:srsign:problem:")


@contextmanager
def served(service: Service) -> Iterator[str]:
    """Serve over TCP while the context lasts; yield the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_application(service.context), log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
