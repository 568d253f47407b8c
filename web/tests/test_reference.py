"""The page of the APIs, made of the descriptions that the services keep in the repository."""

import json
import re
from typing import Any

import pytest

from espace_web.reference import describe
from web.tests.fakes.contracts import SERVICES, kept

FOLDERS = sorted(file.parent.name for file in SERVICES.glob("*/openapi.json"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_operation_and_every_schema_it_speaks_of_is_shown(folder: str) -> None:
    document = kept(folder)
    shown = describe(document)
    assert {(each["method"].lower(), each["path"]) for each in shown["operations"]} == {
        (method, path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    linked = set(re.findall(r'"schema": "(\w+)"', json.dumps(shown)))
    assert linked <= shown["schemas"].keys() <= document["components"]["schemas"].keys()


def test_an_operation_says_what_it_asks_for() -> None:
    shown = {(each["method"], each["path"]): each for each in describe(kept("dossier"))["operations"]}
    edit = shown["PATCH", "/api/dossier/v1/dossiers/{dossier_id}/values"]
    wanted = {each["name"]: (each["place"], each["type"], each["required"]) for each in edit["parameters"]}
    assert wanted["If-Match"] == ("header", "string", True)
    assert wanted["dossier_id"] == ("path", "string (uuid)", True)
    assert wanted["language"] == ("query", "fr | nl | de | en", False)
    assert (edit["body"]["type"], edit["token"]) == ("ValuesBody", "citizen")
    refusals = {each["status"]: each["content"]["type"] for each in edit["answers"]}
    assert refusals["default"] == "Problem"
    assert shown["GET", "/internal/v1/dossiers/{dossier_id}"]["token"] == "service"


def test_the_page_links_to_nothing_that_is_not_there(browser: Any) -> None:
    page = browser.get("/api/").text
    targets = {target for target in re.findall(r'href="#([^"]+)"', page) if "-" in target}
    assert len(targets) > 30
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "/identity/token" in page
    for service in ("identity", "scheduler"):
        assert browser.get(f"/api/{service}/openapi.json").json == kept(service)
