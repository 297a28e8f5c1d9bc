"""Writing, changing and amending reports on pages."""

from __future__ import annotations

import json
import tomllib

import pytest
from httpx2 import Response

from sr.document.template import find_templates, load_template
from sr.service.operation.demonstration import principal_for, write_demo_report
from sr.service.reading.documents import open_document
from sr.store.documents import DocumentState
from sr.web.pages.template_form import every_field, fields_of, has_form, values_of
from tests.support.html import Element, forbidden, parse
from tests.support.service import Service, open_service

FILLED = {
    "observer_name": "Meier^Anna",
    "organization": "Klinikum",
    "clinical_information": "Cough.",
    "contrast": "false",
    "effusion": "none",
    "lymph_nodes": "false",
    "impression": "Granuloma.",
    "nodules[1].lobe": "left upper lobe",
    "nodules[1].attenuation": "solid",
    "nodules[1].diameter": "12.50",
    "nodules[1].image": "all",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return a service of this module."""
    return open_service(tmp_path_factory.mktemp("service"))


def _new(service: Service, template: str = "ct-chest") -> str:
    return f"/reports/new?study={service.world.studies[0]}&template={template}"


def _written(service: Service, **changes: str) -> str:
    answer = service.client("anna").post(_new(service), data={**FILLED, **changes})
    assert answer.status_code == 200
    return str(answer.url).rpartition("/")[2]


def _seen(answer: Response) -> str:
    return parse(answer.text).one("input", name="if_match").attributes["value"]


def _signed(service: Service, uid: str, login: str = "anna") -> None:
    client = service.client(login)
    digest = client.get(f"/api/v1/reports/{uid}").json()["sha256"]
    opened = client.post(f"/reports/{uid}/sign", data={"if_match": digest, "purpose": "1"})
    assert client.post(f"{opened.url}/sign").status_code == 200


def _content(page: Element) -> str:
    return page.one("div", class_="content").text


@pytest.mark.parametrize("template_id", sorted(find_templates()))
def test_a_form_gives_back_what_it_was_given(template_id: str) -> None:
    """The example of a template, put into its form and read back, is the example again."""
    template = load_template(template_id)
    if not has_form(template.inputs):
        assert template.id.startswith("measurements"), "tables in tables are written as text"
        return
    example = tomllib.loads(template.example)
    fields = every_field(fields_of(template.inputs, example))
    back = values_of(template.inputs, {field.path: field.value for field in fields})
    assert fields_of(template.inputs, back) == fields_of(template.inputs, example)


def test_studies_and_templates_are_offered(service: Service) -> None:
    """The first step names the study's patient and every template."""
    page = parse(service.client("anna").get("/reports/new").text)
    assert [each.attributes["value"] for each in page.all("input", type="radio")] == list(
        service.world.studies
    )
    assert {each.attributes.get("value") for each in page.all("option")} >= set(find_templates())
    assert not forbidden(page)


def test_a_form_becomes_a_draft(service: Service) -> None:
    """What was filled in is the content of the draft, digit by digit."""
    uid = _written(service)
    document, _ = open_document(service.context, principal_for("anna"), uid)
    assert (document.state, document.owner) == (DocumentState.DRAFT, "anna")
    assert "12.50 mm" in _content(parse(service.client("anna").get(f"/reports/{uid}").text))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"impression": ""}, "field-impression"),
        ({"effusion": "lots"}, "field-effusion"),
        ({"nodules[1].diameter": "wide"}, "field-nodules-1-diameter"),
        ({"nodules[1].lobe": ""}, "field-nodules-1-lobe"),
    ],
)
def test_an_error_leads_to_its_field(service: Service, changes: dict[str, str], field: str) -> None:
    """What does not fit is named in a summary that links to the field; nothing typed is lost."""
    answer = service.client("anna").post(_new(service), data={**FILLED, **changes})
    page = parse(answer.text)
    summary = page.one("section", role="alert")
    assert [link.attributes["href"] for link in summary.all("a")] == [f"#{field}"]
    assert page.one(id=field).attributes["aria-invalid"] == "true"
    assert page.one(id="field-clinical_information").text == "Cough."


def test_another_row_is_added_without_script(service: Service) -> None:
    """A table gets a row by a button, and nothing is saved by it."""
    answer = service.client("anna").post(_new(service), data={**FILLED, "more": "nodules"})
    page = parse(answer.text)
    assert len(page.all("div", class_="row-of-fields")) == 2
    assert page.one(id="field-nodules-1-diameter").attributes["value"] == "12.50"


def test_a_preview_saves_nothing(service: Service) -> None:
    """A preview shows the content and leaves the worklist as it was."""
    client = service.client("anna")
    before = len(client.get("/api/v1/reports").json()["items"])
    page = parse(client.post(_new(service), data={**FILLED, "preview": "yes"}).text)
    assert "Granuloma." in _content(page)
    assert len(client.get("/api/v1/reports").json()["items"]) == before


def test_hostile_values_stay_text(service: Service) -> None:
    """Markup that is typed into a field is content, on the report and in the form."""
    uid = _written(service, impression="<script>alert(1)</script>")
    client = service.client("anna")
    for path in (f"/reports/{uid}", f"/reports/{uid}/edit"):
        page = parse(client.get(path).text)
        assert not forbidden(page)
    assert "<script>alert(1)</script>" in _content(parse(client.get(f"/reports/{uid}").text))


def test_a_draft_is_changed_under_its_uid(service: Service) -> None:
    """Editing opens what was written and keeps the SOP Instance UID."""
    uid, client = _written(service), service.client("anna")
    opened = client.get(f"/reports/{uid}/edit")
    assert parse(opened.text).one(id="field-impression").text == "Granuloma."
    changed = {**FILLED, "impression": "Changed.", "if_match": _seen(opened)}
    answer = client.post(f"/reports/{uid}/edit", data=changed)
    assert str(answer.url).endswith(uid)
    assert "Changed." in _content(parse(answer.text))
    assert client.post(f"/reports/{uid}/edit", data=changed).status_code in (409, 412)


def test_a_signed_report_is_amended_as_another_document(service: Service) -> None:
    """The next version is a draft that shows what differs from the one before."""
    uid, client = _written(service), service.client("anna")
    _signed(service, uid)
    opened = client.get(f"/reports/{uid}/amend")
    data = {**FILLED, "impression": "Amended.", "if_match": _seen(opened)}
    answer = client.post(f"/reports/{uid}/amend", data=data)
    page = parse(answer.text)
    assert not str(answer.url).endswith(uid)
    assert [each.text for each in page.all("ins") if "Amended." in each.text]
    assert [each.text for each in page.all("del") if "Granuloma." in each.text]


@pytest.mark.parametrize("text", ["x =", "{", "", '{"title": 1}', "class = 1979-05-27"])
def test_a_report_file_that_does_not_fit_is_shown_again(service: Service, text: str) -> None:
    """Text that is no report is an error, and stays in the field."""
    answer = service.client("anna").post(_new(service, ""), data={"report": text})
    page = parse(answer.text)
    assert page.one("section", role="alert")
    assert page.one("textarea").text == text


@pytest.mark.parametrize(("login", "status"), [("archive", 403), ("olga", 403), ("ida", 403)])
def test_others_write_nothing(service: Service, login: str, status: int) -> None:
    """Who is no author sees no form and writes no draft."""
    client = service.client(login)
    assert client.get("/reports/new").status_code == status
    assert client.post(_new(service), data=FILLED).status_code == status


def test_the_draft_of_another_is_not_changed(service: Service) -> None:
    """Sam, an author too, does not change what Anna wrote."""
    uid = _written(service)
    digest = service.client("anna").get(f"/api/v1/reports/{uid}").json()["sha256"]
    answer = service.client("sam").post(f"/reports/{uid}/edit", data={**FILLED, "if_match": digest})
    assert answer.status_code in (403, 409)


@pytest.mark.parametrize("template", ["none", "../x"])
def test_unknown_templates_and_studies_are_refused(service: Service, template: str) -> None:
    """A template or study that is not there is a page that says so."""
    client = service.client("anna")
    assert client.get(_new(service, template)).status_code == 422
    assert client.get("/reports/new?study=1.2.3&template=ct-chest").status_code == 404


@pytest.mark.parametrize("template_id", sorted(find_templates()))
@pytest.mark.parametrize("login", ["anna", "sam"])
def test_a_form_names_its_writer(service: Service, login: str, template_id: str) -> None:
    """Every form knows who writes and where; one that is text says so too."""
    page = parse(service.client(login).get(_new(service, template_id)).text)
    writer = principal_for(login)
    if not has_form(load_template(template_id).inputs):
        text = page.one("textarea", name="report").text
        assert json.loads(text) == {
            "observer_name": writer.person_name, "organization": writer.organization,
        }  # fmt: skip
        return
    assert page.one(id="field-observer_name").attributes["value"] == writer.person_name
    assert page.one(id="field-organization").attributes["value"] == writer.organization


def test_whoever_writes_signs(service: Service) -> None:
    """A draft with the author that the form proposed is signed by whoever wrote it, as author."""
    client = service.client("sam")
    page = parse(client.get(_new(service)).text)
    proposed = {
        name: page.one(id=f"field-{name}").attributes["value"]
        for name in ("observer_name", "organization")
    }
    uid = str(client.post(_new(service), data={**FILLED, **proposed}).url).rpartition("/")[2]
    _signed(service, uid, "sam")
    document, _ = open_document(service.context, principal_for("sam"), uid)
    assert (document.state, document.indication) == (DocumentState.SIGNED, "PASSED")


@pytest.mark.parametrize("login", ["anna", "sam"])
def test_a_demonstration_names_its_writer(service: Service, login: str) -> None:
    """A report of the demonstration is signed by whoever wrote it."""
    draft = write_demo_report(service.context, service.world, login, 0)
    _signed(service, draft.sop_instance_uid, login)


def test_a_stranger_as_author_is_not_signed(service: Service) -> None:
    """A draft that names somebody else as author is not signed by whoever wrote it."""
    client = service.client("sam")
    uid = str(client.post(_new(service), data=FILLED).url).rpartition("/")[2]
    digest = client.get(f"/api/v1/reports/{uid}").json()["sha256"]
    begun = client.post(f"/reports/{uid}/sign", data={"if_match": digest, "purpose": "1"})
    answer = client.post(f"{begun.url}/sign") if begun.status_code < 400 else begun
    assert answer.status_code >= 400
    assert client.get(f"/api/v1/reports/{uid}").json()["state"] == "draft"


def test_a_scripted_form_goes_where_a_plain_one_does(service: Service) -> None:
    """A draft that the script of the page sends is kept, and the whole window is led to it."""
    client = service.client("anna")
    plain = client.post(_new(service), data=FILLED, follow_redirects=False)
    scripted = client.post(
        _new(service), data=FILLED, headers={"HX-Request": "true"}, follow_redirects=False
    )
    assert (plain.status_code, scripted.status_code) == (303, 204)
    assert scripted.headers["hx-redirect"].startswith("/reports/")
    assert scripted.headers["hx-redirect"] != plain.headers["location"]


def test_no_patient_is_chosen_beforehand(service: Service) -> None:
    """Whose study it is has to be chosen, unless the address says it."""
    client, study = service.client("anna"), service.world.studies[0]
    for address, chosen in (("/reports/new", 0), (f"/reports/new?study={study}", 1)):
        choices = parse(client.get(address).text).all("input", type="radio")
        assert sum("checked" in each.attributes for each in choices) == chosen


def test_prose_has_room(service: Service) -> None:
    """What is told in sentences has a field of several lines, a name has one of one."""
    page = parse(service.client("anna").get(_new(service)).text)
    assert page.one(id="field-impression").tag == "textarea"
    assert page.one(id="field-observer_name").tag == "input"
    assert page.one(id="field-nodules-1-image").tag == "input"
