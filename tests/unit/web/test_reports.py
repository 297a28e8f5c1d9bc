"""``/reports`` over HTTP: drafts, changes, versions, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sr.codes import SignaturePurpose
from tests.support.api import VALUES, code_of, path_of, sign, tag_of
from tests.support.service import Service, open_service

NOWHERE = "2.25.999"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def anna(service: Service) -> TestClient:
    """Return the author's client."""
    return service.client("anna")


@pytest.fixture(scope="module")
def sam(service: Service) -> TestClient:
    """Return the supervisor's client."""
    return service.client("sam")


@pytest.fixture
def draft(service: Service, anna: TestClient) -> dict[str, Any]:
    """Return a draft of the author's."""
    answer = anna.post(
        "/api/v1/reports", json={"study_instance_uid": service.world.studies[0], **VALUES}
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(answer.json()["sop_instance_uid"])
    return answer.json()


@pytest.fixture
def signed(service: Service, anna: TestClient, draft: dict[str, Any]) -> dict[str, Any]:
    """Return a report that waits for approval."""
    sign(service, anna, draft, SignaturePurpose.AUTHOR, "author")
    return anna.get(path_of(draft)).json()


def test_a_draft_is_changed_under_its_uid(anna: TestClient, draft: dict[str, Any]) -> None:
    """A change makes a second version with other bytes under the same SOP Instance UID."""
    answer = anna.put(path_of(draft), json=VALUES, headers=tag_of(draft))
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert changed["sop_instance_uid"] == draft["sop_instance_uid"]
    assert (changed["revision"], changed["state"]) == (2, "draft")
    versions = anna.get(path_of(draft, "/versions")).json()["items"]
    assert [each["sha256"] for each in versions] == [draft["sha256"], changed["sha256"]]
    first = anna.get(path_of(draft, "/versions/1/file")).content
    assert sha256(first).hexdigest() == draft["sha256"]


def test_what_a_draft_was_made_from_comes_back(anna: TestClient, draft: dict[str, Any]) -> None:
    """The values and the template of a draft can be opened again."""
    answer = anna.get(path_of(draft, "/source")).json()
    assert answer == {"template": "ct-chest", "values": VALUES["values"]}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 428, "precondition-missing"),
        ({"If-Match": "*"}, 428, "precondition-missing"),
        ({"If-Match": f'"{"0" * 64}"'}, 412, "precondition"),
        ({"If-Match": 'W/"1"'}, 412, "precondition"),
        ({"If-Match": '"1", "2"'}, 412, "precondition"),
    ],
)
def test_a_change_of_what_was_not_seen_is_refused(
    anna: TestClient, draft: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    """Without the ETag of the current bytes nothing is changed."""
    answer = anna.put(path_of(draft), json=VALUES, headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert anna.get(path_of(draft)).json()["revision"] == 1


def test_somebody_elses_draft_is_not_changed(sam: TestClient, draft: dict[str, Any]) -> None:
    """A draft is its author's."""
    answer = sam.put(path_of(draft), json=VALUES, headers=tag_of(draft))
    assert (answer.status_code, code_of(answer)) == (403, "access")


def test_a_signed_report_is_not_changed(anna: TestClient, signed: dict[str, Any]) -> None:
    """What is signed is amended and never changed; that the ETag fits makes no difference."""
    answer = anna.put(path_of(signed), json=VALUES, headers=tag_of(signed))
    assert (answer.status_code, code_of(answer)) == (409, "lifecycle")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**VALUES, "template": "no-such"}, 422),
        ({"template": "ct-chest", "values": {}}, 422),
        ({"template": "ct-chest", "values": {"x": "\ud800"}}, 422),
        ({"template": "ct-chest"}, 422),
        ({**VALUES, "more": 1}, 422),
    ],
)
def test_values_that_do_not_fit_are_refused(
    anna: TestClient, draft: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    """Values that the template does not take change nothing."""
    headers = {**tag_of(draft), "Content-Type": "application/json"}
    answer = anna.put(path_of(draft), content=json.dumps(body), headers=headers)
    assert answer.status_code == status
    assert code_of(answer) in ("template", "request")
    assert anna.get(path_of(draft)).json()["sha256"] == draft["sha256"]


def test_a_report_about_unknown_images_is_refused(anna: TestClient) -> None:
    """A study that no evidence folder holds is not reported on."""
    answer = anna.post("/api/v1/reports", json={"study_instance_uid": NOWHERE, **VALUES})
    assert (answer.status_code, code_of(answer)) == (422, "evidence")


def test_a_returned_report_is_amended(
    anna: TestClient, sam: TestClient, signed: dict[str, Any]
) -> None:
    """The next version of a returned report names it as predecessor, and the remark is kept."""
    returned = sam.post(
        path_of(signed, "/return"), json={"comment": "impression?"}, headers=tag_of(signed)
    )
    assert (returned.status_code, returned.json()["state"]) == (200, "returned")
    remarks = anna.get(path_of(signed, "/remarks")).json()["items"]
    assert [(each["user_id"], each["text"]) for each in remarks] == [("sam", "impression?")]
    answer = anna.post(path_of(signed, "/amend"), json=VALUES, headers=tag_of(signed))
    assert answer.status_code == 201, answer.text
    amended = answer.json()
    assert amended["predecessor"] == signed["sop_instance_uid"] != amended["sop_instance_uid"]
    assert amended["lineage"] == signed["lineage"]
    assert anna.get(path_of(signed)).json()["state"] == "superseded"
    changed = anna.put(path_of(amended), json=VALUES, headers=tag_of(amended))
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    lineage = anna.get("/api/v1/reports", params={"lineage": signed["lineage"]}).json()["items"]
    assert {each["state"] for each in lineage} == {"superseded", "draft"}


def test_a_draft_is_not_amended(anna: TestClient, draft: dict[str, Any]) -> None:
    """A draft is changed as it stands and has no next version."""
    answer = anna.post(path_of(draft, "/amend"), json=VALUES, headers=tag_of(draft))
    assert (answer.status_code, code_of(answer)) == (409, "lifecycle")


def test_a_draft_is_not_returned(sam: TestClient, draft: dict[str, Any]) -> None:
    """What nobody signed is not waiting for anybody."""
    answer = sam.post(path_of(draft, "/return"), json={"comment": "?"}, headers=tag_of(draft))
    assert (answer.status_code, code_of(answer)) == (409, "lifecycle")


def test_a_list_that_the_caller_has_is_not_sent_again(anna: TestClient) -> None:
    """A list has an entity tag, and 304 says that it is still good."""
    first = anna.get("/api/v1/reports")
    again = anna.get("/api/v1/reports", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = anna.get("/api/v1/reports", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_pages_of_a_list_are_all_of_it(anna: TestClient, draft: dict[str, Any]) -> None:
    """Following the pages gives each document once."""

    def pages() -> Iterator[str]:
        offset: int | None = 0
        while offset is not None:
            page = anna.get("/api/v1/reports", params={"limit": 2, "offset": offset}).json()
            yield from (each["sop_instance_uid"] for each in page["items"])
            offset = page["next_offset"]

    found = list(pages())
    assert draft["sop_instance_uid"] in found
    assert len(found) == len(set(found)) > 0


def test_a_page_shows_the_verdict(anna: TestClient, signed: dict[str, Any]) -> None:
    """The rendered page says what the verdict says, and may load nothing."""
    page = anna.get(path_of(signed, "/rendered"))
    verdict = anna.get(path_of(signed, "/verdict")).json()
    assert verdict["indication"] == "PASSED"
    assert verdict["references"]["matched"] == verdict["references"]["total"] > 0
    assert "PASSED" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "below", ["", "/file", "/source", "/versions", "/remarks", "/rendered", "/verdict"]
)
def test_what_is_not_there_is_not_found(anna: TestClient, below: str) -> None:
    """Nothing of a report that does not exist is shown."""
    answer = anna.get(f"/api/v1/reports/{NOWHERE}{below}")
    assert (answer.status_code, code_of(answer)) == (404, "not-found")


@pytest.mark.parametrize("uid", ["1", "1..2", "1.02", "x", "..%2f..%2fetc", "1." + "2" * 64])
def test_what_is_no_uid_is_refused(anna: TestClient, uid: str) -> None:
    """A path that is no UID reaches no document."""
    assert anna.get(f"/api/v1/reports/{uid}").status_code in (404, 422)
