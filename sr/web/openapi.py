"""The description of the API in OpenAPI 3.1: what the routes declare, and what all have in common.

Cites: OpenAPI 3.1; RFC 9457.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from sr import __version__
from sr.web.operations import EVERYBODY, problems

__all__ = ["Application", "operation_id"]

_HEADERS = {
    "200": {"ETag": "Of this list.", "Link": "Where the next page is, `rel=next` (RFC 8288)."},
    "201": {"Location": "Where it is, if it has an address.", "ETag": "Of a document."},
    "202": {"Location": "Of the job."},
    "401": {"WWW-Authenticate": "How to say who calls."},
    "405": {"Allow": "What the resource offers."},
    "409": {"Retry-After": "Seconds, where the same request is at work."},
    "429": {"Retry-After": "Seconds."},
    "503": {"Retry-After": "Seconds, where it is known."},
}
"""Headers of answers by status; of 200, of lists that know whether they changed."""
_IF_MATCH = "if-match"
"""Whoever leaves it out is told so with a status of its own, so that the route has to allow it."""
_DESCRIPTION = """\
Reports are written as drafts, signed in two steps with the key wherever it is, approved by a second
person, and checked by anybody who may. Every error is a problem (RFC 9457); no problem carries
patient data. Each operation names the permission that it requires (`x-permission`) and the event
that it writes to the audit (`x-audit`)."""
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The key of a machine, or what the identity provider gave.",
    },
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457), free of patient data.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "`urn:srsign:problem:` and a slug that does not change.",
        },
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people; names attributes, not values."},
        "where": {"type": "string", "description": "Path of the attribute that is to blame."},
        "hint": {"type": "string", "description": "What to do about it."},
        "rule": {"type": "string", "description": "The rule that was broken."},
        "findings": {
            "type": "array",
            "description": "Rules that a signature would have broken.",
            "items": {
                "type": "object",
                "required": ["rule", "cites"],
                "properties": {
                    "rule": {"type": "string"},
                    "where": {"type": ["string", "null"]},
                    "cites": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:srsign:problem:conflict",
            "title": "Conflict",
            "status": 409,
            "detail": "the document was changed meanwhile",
            "hint": "load it again",
        }
    ],
}


class Application(FastAPI):
    """An application whose description says all that its answers may be."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made once.

        Cites: OpenAPI 3.1.
        """
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=__version__,
                openapi_version="3.1.0",
                summary="Author, sign, approve and check DICOM Structured Reports",
                description=_DESCRIPTION,
                routes=self.routes,
                license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            )
            components = document.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = _PROBLEM
            components["securitySchemes"] = _SECURITY_SCHEMES
            document["security"] = [{name: []} for name in _SECURITY_SCHEMES]
            for path in document["paths"].values():
                for operation in path.values():
                    _complete(operation)
            self.openapi_schema = document
        return self.openapi_schema


def _complete(operation: dict[str, Any]) -> None:
    """Say what is true of every operation of its kind."""
    if operation.get("x-permission", EVERYBODY) == EVERYBODY:
        operation["security"] = []
    if "requestBody" in operation:
        described = problems(400, 413, 415)
        operation["responses"].update({str(k): v for k, v in described.items()})
    for status, response in operation["responses"].items():
        described = {name: _header(text) for name, text in _HEADERS.get(status, {}).items()}
        if described and (status != "200" or "304" in operation["responses"]):
            response["headers"] = described | response.get("headers", {})
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == _IF_MATCH:
            parameter["required"] = True


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: that of its resource and that of its function."""
    resource = str(route.tags[0]) if route.tags else "service"
    return f"{resource}_{route.name}".replace("-", "_")
