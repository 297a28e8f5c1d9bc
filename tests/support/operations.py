"""Requests made from the description of the API: each operation, with the least that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient
from httpx2 import Response

__all__ = ["Operation", "operations"]

_METHODS = ("get", "put", "post", "delete", "patch")
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    declared: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Method and path, for messages."""
        return f"{self.method.upper()} {self.path}"

    @property
    def permission(self) -> str | None:
        """What it requires; nothing where everybody may call it."""
        found: str | None = self.declared.get("x-permission")
        return found

    def call(
        self,
        client: TestClient,
        *,
        text: str | None = None,
        body: object = None,
        raw: str | None = None,
        file_name: str = "a.dcm",
        **fields: object,
    ) -> Response:
        """Call it.

        Args:
            client: Of somebody.
            text: In place of every text that the caller may choose.
            body: In place of the body, as it stands.
            raw: In place of every parameter of the path, as it stands.
            file_name: Of uploads.
            fields: In place of members of the body.
        """
        path = self.path
        query: dict[str, Any] = {}
        headers: dict[str, bytes] = {}
        for parameter in self.declared.get("parameters", ()):
            value = self.sample(parameter["schema"], text)
            if parameter["in"] == "path":
                value = quote(str(value), safe="") if raw is None else raw
                path = path.replace("{" + parameter["name"] + "}", value)
            elif parameter.get("required") and parameter["in"] == "header":
                headers[parameter["name"]] = str(value).encode()
            elif parameter.get("required"):
                query[parameter["name"]] = value
        arguments: dict[str, Any] = {}
        content = self.declared.get("requestBody", {}).get("content", {})
        if body is not None:
            arguments["content"] = body
        elif _MULTIPART in content:
            wanted = self._properties(content[_MULTIPART]["schema"])
            data = b"text" if text is None else text.encode()
            arguments["files"] = dict.fromkeys(wanted, (file_name, data))
        elif "application/json" in content:
            sample = self.sample(content["application/json"]["schema"], text)
            arguments["json"] = {**sample, **fields}
        elif content:
            headers["content-type"] = next(iter(content)).encode()
            arguments["content"] = (text or "text").encode()
        return client.request(
            self.method, path, params=query, headers=headers, follow_redirects=False, **arguments
        )

    def _properties(self, schema: Mapping[str, Any]) -> tuple[str, ...]:
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return tuple(schema.get("properties", {"file": {}}))

    def sample(self, schema: Mapping[str, Any], text: str | None = None) -> Any:
        """Return a value that a schema allows, or nearly."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            return self.sample(self.document["components"]["schemas"][name], text)
        for some in ("anyOf", "oneOf", "allOf"):
            if some in schema:
                return self.sample(schema[some][0], text)
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        match schema.get("type"):
            case "object":
                wanted, members = schema.get("required", ()), schema.get("properties", {})
                return {name: self.sample(members.get(name, {}), text) for name in wanted}
            case "array":
                return [self.sample(schema["items"], text)] if schema.get("minItems") else []
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        if text is not None:
            return text
        return "1.2.3" if "pattern" in schema else "text"


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of an OpenAPI document."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield Operation(method=method, path=path, declared=item[method], document=document)
