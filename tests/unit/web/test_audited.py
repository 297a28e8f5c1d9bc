"""Every operation that changes something or shows patient data is in the audit: from OpenAPI."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sr.codes import SignaturePurpose
from sr.mac import MACAlgorithm
from sr.net.agent_client import ask_code
from sr.service.operation.demonstration import chain_of
from sr.service.operation.job_kinds import HANDLERS
from sr.service.operation.jobs import run_next
from tests.support.agents import Desk, InProcess, desk, opened
from tests.support.agents import draft as draft_of
from tests.support.api import VALUES, path_of, sign, tag_of
from tests.support.audit_trail import Trail
from tests.support.service import Service, open_service

KINDS = ("reports", "keyobjects", "seals", "manifests")
READING = {
    "search": "",
    "show": "/{uid}",
    "download": "/{uid}/file",
    "source": "/{uid}/source",
    "versions": "/{uid}/versions",
    "download_version": "/{uid}/versions/1/file",
    "remarks": "/{uid}/remarks",
    "rendered": "/{uid}/rendered",
    "verdict": "/{uid}/verdict",
}
SILENT = {
    "templates_search",
    "templates_show",
    "signing_sessions_waiting",
    "jobs_search",
    "jobs_show",
    "jobs_follow",
    "trust_anchors_search",
    "credentials_search",
    "credentials_draw",
    "api_keys_search",
    "agents_ask",
    "agents_mine",
    "agent_whoami",
    "agent_challenge",
}
"""Operations that change nothing and show no patient data."""


class World:
    """A service with a document of each kind, and how each operation succeeds on it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.trail = Trail(service)
        self.anna, self.sam = service.client("anna"), service.client("sam")
        self.archive, self.ida = service.client("archive"), service.client("ida")
        self.root = service.client("root")
        self.study = service.world.studies[0]
        self.uids = {
            "reports": self.draft()["sop_instance_uid"],
            "keyobjects": self.key_objects().json()["sop_instance_uid"],
            "seals": self.sealed("seals"),
            "manifests": self.sealed("manifests"),
        }

    def begin(self) -> None:
        """Forget the events so far: what comes next is what is looked at."""
        self.trail.begin()

    def draft(self) -> dict[str, Any]:
        """Write a draft."""
        body = {"study_instance_uid": self.study, **VALUES}
        answer = self.anna.post("/api/v1/reports", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def key_objects(self) -> Any:
        """Write a key object selection."""
        body = {"study_instance_uid": self.study, "title": "of-interest"}
        return self.anna.post("/api/v1/keyobjects", json=body)

    def sealed(self, place: str) -> str:
        """Return the UID of a new seal or manifest."""
        answer = self.archive.post(f"/api/v1/{place}", json={"study_instance_uid": self.study})
        assert answer.status_code == 202, answer.text
        run_next(self.service.context, HANDLERS)
        job = self.archive.get(answer.headers["location"]).json()
        assert job["state"] == "done", job
        return job["result"]["sop_instance_uid"]

    def signed(self) -> dict[str, Any]:
        """Return a report that waits for approval."""
        draft = self.draft()
        sign(self.service, self.anna, draft, SignaturePurpose.AUTHOR, "author")
        return self.anna.get(path_of(draft)).json()

    def session(self) -> dict[str, Any]:
        """Return a session over a new draft."""
        return self.prepare().json()

    def prepare(self) -> Any:
        """Open a session over a new draft."""
        draft = self.draft()
        self.begin()
        wanted = {"sop_instance_uid": draft["sop_instance_uid"], "if_match": draft["sha256"]}
        chain = chain_of(self.service.world.pki, "author").decode()
        body = {"items": [wanted], "purpose": "author", "certificate_chain": chain}
        return self.anna.post("/api/v1/signing-sessions", json=body)

    def complete(self) -> Any:
        """Sign a new draft with a key outside."""
        session = self.session()
        digest = bytes.fromhex(session["items"][0]["digest"])
        with self.service.signer("author") as signer:
            value = b64encode(signer.sign_digest(digest, MACAlgorithm.SHA256)).decode()
        body = {"items": [{"n": 1, "signature": value}]}
        self.begin()
        return self.anna.post(f"/api/v1/signing-sessions/{session['id']}/complete", json=body)

    def anchor(self) -> Any:
        """Trust a certificate."""
        pem = chain_of(self.service.world.pki, "archive").decode()
        return self.root.post("/api/v1/trust-anchors", json={"certificates": pem})

    def credential(self) -> Any:
        """Register a certificate."""
        drawn = self.anna.post("/api/v1/credentials/challenges").json()
        with self.service.signer("author") as signer:
            digest = bytes.fromhex(drawn["digest"])
            value = signer.sign_digest(digest, MACAlgorithm.SHA256)
            chain = signer.certificate_chain[0].public_bytes(Encoding.PEM).decode()
        body = {
            "certificate_chain": chain,
            "challenge": drawn["challenge"],
            "signature": b64encode(value).decode(),
            "label": "card",
        }
        self.begin()
        return self.anna.post("/api/v1/credentials", json=body)

    def key(self) -> Any:
        """Make a key for a machine."""
        return self.root.post("/api/v1/api-keys", json={"login": "archive"})

    def desk(self) -> Desk:
        """Return a supervisor at a machine with a card."""
        return desk(self.service, "sam", "supervisor")

    def asked(self) -> dict[str, str]:
        """Return the code that an agent shows which nobody paired yet."""
        return {"user_code": ask_code(InProcess(self.service.client()), "reading room").user_code}

    def offered(self) -> dict[str, Any]:
        """Return a session that waits for a card."""
        document = draft_of(self.service, "sam")
        return opened(self.service, document, login="sam", key="supervisor")


def _on(method: str, below: str, document: Callable[[World], dict[str, Any]], body: Any) -> Any:
    def call(world: World) -> Any:
        found = document(world)
        world.begin()
        by = world.sam if below == "/return" else world.anna
        return by.request(method, path_of(found, below), json=body, headers=tag_of(found))

    return call


def _reading(place: str, below: str) -> Callable[[World], Any]:
    return lambda world: world.anna.get(f"/api/v1/{place}{below.format(uid=world.uids[place])}")


def _session(method: str, below: str = "") -> Callable[[World], Any]:
    def call(world: World) -> Any:
        session = world.session()["id"]
        world.begin()
        return world.anna.request(method, f"/api/v1/signing-sessions/{session}{below}")

    return call


def _agent(method: str, below: str = "", **more: Any) -> Callable[[World], Any]:
    """Call a resource of an agent, for which a session waits."""

    def call(world: World) -> Any:
        at = world.desk()
        session = world.offered()["id"]
        world.begin()
        path = below.format(session=session, certificate=at.fingerprint)
        client = world.service.client()
        bearer = {"Authorization": f"Bearer {at.client.token}"}
        return client.request(method, f"/api/v1/agent{path}", headers=bearer, **more)

    return call


def _announced(world: World) -> None:
    at = world.desk()
    world.begin()
    at.announce()


def _signed_there(world: World) -> None:
    at = world.desk()
    world.offered()
    world.begin()
    (ended,) = at.run()
    assert ended.error is None


def _token(world: World) -> Any:
    there = world.service.client()
    asked = there.post("/api/v1/agents", json={"label": "x"}).json()
    world.sam.post("/api/v1/agents/pair", json={"user_code": asked["user_code"]})
    world.begin()
    return there.post("/api/v1/agents/token", json={"device_code": asked["device_code"]})


def _revoked(world: World) -> Any:
    at = world.desk()
    world.begin()
    return world.sam.delete(f"/api/v1/agents/{at.agent_id}")


def _taken_key(world: World) -> Any:
    made = world.key()
    world.begin()
    return world.root.delete(made.headers["location"])


CALLS: dict[str, Callable[[World], Any]] = {
    **{
        f"{kind}_{name}": _reading(kind, below) for kind in KINDS for name, below in READING.items()
    },
    "reports_write": lambda w: w.anna.post(
        "/api/v1/reports", json={"study_instance_uid": w.study, **VALUES}
    ),
    "reports_change": _on("PUT", "", World.draft, VALUES),
    "reports_amend": _on("POST", "/amend", World.signed, VALUES),
    "reports_send_back": _on("POST", "/return", World.signed, {"comment": "?"}),
    "studies_evidence": lambda w: w.anna.get("/api/v1/studies"),
    "keyobjects_select": World.key_objects,
    "seals_seal": lambda w: w.archive.post("/api/v1/seals", json={"study_instance_uid": w.study}),
    "manifests_list_shipment": lambda w: w.archive.post(
        "/api/v1/manifests", json={"study_instance_uid": w.study}
    ),
    "signing_sessions_prepare": World.prepare,
    "signing_sessions_show": _session("GET"),
    "signing_sessions_cancel": _session("DELETE"),
    "signing_sessions_stream": _session("GET", "/items/1/stream"),
    "signing_sessions_complete": World.complete,
    "signing_sessions_sign": _session("POST", "/sign"),
    "checks_check": lambda w: w.anna.post(
        "/api/v1/checks", json={"sop_instance_uid": w.uids["reports"]}
    ),
    "signatures_search": lambda w: w.ida.get("/api/v1/signatures"),
    "audit_events_search": lambda w: w.ida.get("/api/v1/audit-events"),
    "trust_anchors_add": World.anchor,
    "trust_anchors_remove": lambda w: w.root.delete(
        f"/api/v1/trust-anchors/{w.anchor().json()['items'][0]['sha256']}"
    ),
    "credentials_add": World.credential,
    "credentials_withdraw": lambda w: w.sam.delete(
        f"/api/v1/credentials/{w.sam.get('/api/v1/credentials').json()['items'][0]['id']}"
    ),
    "api_keys_make": World.key,
    "api_keys_revoke": _taken_key,
    "agents_token": _token,
    "agents_pair": lambda w: w.sam.post("/api/v1/agents/pair", json=w.asked()),
    "agents_revoke": _revoked,
    "agent_leave": _agent("DELETE"),
    "agent_announce": _announced,
    "agent_sessions": _agent("GET", "/sessions?certificate={certificate}"),
    "agent_stream": _agent("GET", "/sessions/{session}/items/1/stream"),
    "agent_complete": _signed_there,
    "agent_refuse": _agent("POST", "/sessions/{session}/refuse", json={"why": "declined"}),
}
"""How each operation that is in the audit succeeds, by its name."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a service with a document of each kind."""
    return World(open_service(tmp_path_factory.mktemp("audited")))


def _described(world: World) -> dict[str, dict[str, Any]]:
    paths = world.anna.get("/openapi.json").json()["paths"]
    return {
        operation["operationId"]: operation
        for path, item in paths.items()
        if path.startswith("/api/")
        for operation in item.values()
    }


def test_every_operation_is_decided_on(world: World) -> None:
    """Each operation either says what the audit will hold, or is known to leave nothing there."""
    described = _described(world)
    assert {name for name, each in described.items() if "x-audit" in each} == set(CALLS)
    assert {name for name, each in described.items() if "x-audit" not in each} == SILENT


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_is_in_the_audit(world: World, name: str) -> None:
    """An operation that succeeds leaves the event that the description names, and who it was."""
    action = _described(world)[name]["x-audit"]
    world.begin()
    answer = CALLS[name](world)
    assert answer is None or answer.status_code < 400, answer.text
    assert world.trail.who_wrote(action) in ("anna", "sam", "archive", "ida", "root")


@pytest.mark.parametrize(
    "name",
    ["reports_write", "reports_change", "reports_amend", "keyobjects_select", "checks_check"],
)
def test_who_had_images_read_is_in_the_audit(world: World, name: str) -> None:
    """Whatever reads the images of a study says whose they are, before what came of it."""
    world.begin()
    CALLS[name](world)
    assert world.trail.who_wrote("evidence-read") == "anna"


@pytest.mark.parametrize("name", ["reports_show", "reports_remarks", "seals_seal"])
def test_who_had_none_read_is_not_said_to(world: World, name: str) -> None:
    """Looking at a document, or asking for a job that is not done yet, reads no image."""
    world.begin()
    CALLS[name](world)
    assert world.trail.who_wrote("evidence-read") is None


def test_a_value_that_does_not_fit_is_in_the_audit(world: World) -> None:
    """A signature that fails is an event of its own, with who tried; one that is made is none."""
    world.complete()
    assert world.trail.who_wrote("signing-failed") is None
    session = world.session()["id"]
    world.begin()
    body = {"items": [{"n": 1, "signature": "AAAA"}]}
    answer = world.anna.post(f"/api/v1/signing-sessions/{session}/complete", json=body)
    assert answer.status_code == 422
    assert world.trail.who_wrote("signing-failed") == "anna"


def test_a_session_given_up_did_not_fail(world: World) -> None:
    """A session that is cancelled is void, and no key or value failed."""
    CALLS["signing_sessions_cancel"](world)
    assert world.trail.who_wrote("signing-failed") is None
