"""Declaration and receipt: everything is in them, they are archival and accessible, and made once."""

import hashlib
import io
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pikepdf
import pypdf
import pytest
from sqlalchemy import text

from documents_service.api import DOSSIER
from documents_service.papers import declaration, receipt
from documents_service.rendering import render
from documents_service.texts import catalogues
from espace.http import ServiceClient
from espace.i18n import LANGUAGES
from services.documents.tests.conftest import Service

DOSSIER_ID = "10000000-0000-4000-8000-000000000003"
PROCEDURE = {
    "key": "reclamation-electorale",
    "version": 1,
    "title": "Élections locales du 13 octobre 2024 - Introduction d'une réclamation",
}
NASTY = '#panic("x") $a^2$ *gras* _i_ <img onerror=1> \\ `c` {{7*7}} @x //'


def declared(**changed: Any) -> dict[str, Any]:
    return {
        "dossier_id": DOSSIER_ID,
        "number": None,
        "procedure": PROCEDURE,
        "title": "Réclamation",
        "language": "fr",
        "validated_at": "2024-10-15T07:00:00Z",
        "values_sha256": "0f" * 32,
        "sections": [
            {
                "key": "contact",
                "title": "Vos coordonnées",
                "rows": [
                    {"key": "family_name", "label": "Nom", "value": "D’Hondt-Żółć"},
                    {"key": "given_name", "label": "Prénom", "value": "Lucie"},
                ],
            },
            {
                "key": "facts",
                "title": "L’élection",
                "rows": [
                    {"key": "commune", "label": "Commune", "value": "Braine-l’Alleud"},
                    {"key": "element", "label": "Élément", "value": NASTY},
                    {"key": "lines", "label": "Lignes", "value": "Première ligne\nDeuxième ligne"},
                    {"key": "none", "label": "Vide", "value": None},
                ],
            },
        ],
        "statements": [{"key": "sworn", "label": "Je déclare sur l’honneur", "accepted": True}],
        **changed,
    }


def received(**changed: Any) -> dict[str, Any]:
    return {
        "dossier_id": DOSSIER_ID,
        "number": "ME-2024-000123-7",
        "procedure": PROCEDURE,
        "title": "Réclamation",
        "subtitle": "Élections communales – Namur",
        "language": "fr",
        "citizen": {"given_name": "Lucie", "family_name": "D’Hondt"},
        "received_at": "2024-10-21T21:59:59.900000Z",
        "received_local": "lundi 21 octobre 2024 à 23:59:59",
        "received_date": "2024-10-21",
        "values_sha256": "0f" * 32,
        "content_sha256": "1e" * 32,
        "documents": [
            {
                "document_id": str(uuid.UUID(int=number)),
                "slot": "reclamation",
                "slot_title": "Réclamation datée et signée",
                "filename": f"pièce {number}.pdf",
                "size": 48213 + number,
                "sha256": hashlib.sha256(bytes([number])).hexdigest(),
            }
            for number in range(3)
        ],
        "window": {"state": "open", "date": "2024-10-21", "reasons": ["Huit jours après le procès-verbal."]},
        "information_request": {
            "id": str(uuid.UUID(int=9)),
            "element": "Les procès-verbaux",
            "due_date": "2024-10-25",
            "due_at": "2024-10-25T22:00:00Z",
            "reasons": ["Quatre jours."],
        },
        "withdrawn_at": None,
        **changed,
    }


def words(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\u200b", "").split())


PAPERS = [render(declaration(declared())), render(receipt(received()))]


@pytest.mark.parametrize("pdf", PAPERS, ids=["declaration", "receipt"])
def test_paper_is_archival_and_accessible(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        root = opened.Root
        assert root.MarkInfo.Marked
        assert len(root.StructTreeRoot.K) >= 1
        assert str(root.Lang).startswith("fr")
        assert root.ViewerPreferences.DisplayDocTitle
        (intent,) = root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert len(intent.DestOutputProfile.read_bytes()) > 300
        with opened.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] in ("Déclaration", "Accusé de réception")
        descriptors = [found for found in opened.objects if _is(found, "/FontDescriptor")]
        assert descriptors
        assert all({"/FontFile2", "/FontFile3"} & set(found.keys()) for found in descriptors)
        kinds = {str(found.S) for found in opened.objects if _is(found, "/StructElem") or _has_role(found)}
        assert {"/H1", "/H2", "/Table", "/TH", "/TD"} <= kinds
        assert not any(_is(found, "/Action") for found in opened.objects)


def _is(found: Any, kind: str) -> bool:
    return isinstance(found, (pikepdf.Dictionary, pikepdf.Stream)) and found.get("/Type") == kind


def _has_role(found: Any) -> bool:
    return isinstance(found, pikepdf.Dictionary) and "/S" in found and "/P" in found


def test_declaration_shows_everything() -> None:
    data = declared(number="ME-2024-000123-7")
    shown = words(render(declaration(data)))
    wanted = [data["number"], DOSSIER_ID, PROCEDURE["title"], data["values_sha256"], "15 octobre 2024"]
    wanted += [section["title"] for section in data["sections"]]
    wanted += [row["label"] for section in data["sections"] for row in section["rows"]]
    wanted += [row["value"] or "" for section in data["sections"] for row in section["rows"]]
    wanted += [statement["label"] for statement in data["statements"]]
    for value in wanted:
        assert " ".join(value.split()) in shown, value


def test_receipt_shows_everything() -> None:
    data = received()
    shown = words(render(receipt(data)))
    wanted = [data["number"], "lundi 21 octobre 2024 à 23 h 59 min 59 s", data["received_at"]]
    wanted += [data["content_sha256"], data["values_sha256"], "Lucie D’Hondt", data["subtitle"]]
    wanted += ["Les procès-verbaux", "vendredi 25 octobre 2024", "Quatre jours."]
    wanted += ["Huit jours après le procès-verbal.", "lundi 21 octobre 2024"]
    for file in data["documents"]:
        wanted += [file["filename"], file["sha256"], str(file["size"]), file["slot_title"]]
    for value in wanted:
        assert value in shown, value


def test_receipt_without_request_window_and_files_is_made_too() -> None:
    shown = words(render(receipt(received(documents=[], window=None, information_request=None))))
    assert "Aucun fichier n’a été déposé." in shown
    assert "DRC" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_speaks_its_language(language: str) -> None:
    pdf = render(declaration(declared(language=language)))
    assert catalogues().gettext(language, "declaration.seal_explained") in words(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert str(opened.Root.Lang).startswith(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_in_any_language(language: str) -> None:
    assert catalogues().missing(language) == set()


def test_characters_without_a_glyph_are_written_by_code_and_it_is_said() -> None:
    rows = [
        {
            "key": "x",
            "label": "Texte",
            "value": "oui 😀 中文 \x01 " + "".join(map(chr, range(0x4E00, 0x4E80))),
        }
    ]
    data = declared(sections=[{"key": "s", "title": "S", "rows": rows}])
    shown = words(render(declaration(data)))
    assert "oui [U+1F600] [U+4E2D][U+6587] [U+0001]" in shown
    assert catalogues().gettext("fr", "paper.replaced") in shown


def test_endless_word_stays_on_the_page() -> None:
    rows = [{"key": "x", "label": "Texte", "value": "w" * 2000}]
    pdf = render(declaration(declared(sections=[{"key": "s", "title": "S", "rows": rows}])))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) >= 1
    assert words(pdf).replace(" ", "").count("w") >= 2000


def test_same_values_give_the_same_bytes_and_other_values_others() -> None:
    assert render(declaration(declared())) == PAPERS[0]
    assert render(declaration(declared(values_sha256="11" * 32))) != PAPERS[0]


def test_receipt_does_not_change_when_the_window_closes() -> None:
    later = received(window={**received()["window"], "state": "closed"}, withdrawn_at="2024-10-22T00:00:00Z")
    assert render(receipt(later)) == PAPERS[1]


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A service whose store is away: papers need none."""
    return make_service(objects_url="http://127.0.0.1:9")


@pytest.fixture
def dossier(service: Service) -> Callable[[Callable[[httpx.Request], httpx.Response]], None]:
    """Let dossier answer what a test wants."""

    def answering(answer: Callable[[httpx.Request], httpx.Response]) -> None:
        service.app.extensions[DOSSIER] = ServiceClient(
            audience="dossier",
            base_url="http://dossier",
            settings=service.settings,
            transport=httpx.MockTransport(answer),
        )

    return answering


@pytest.mark.parametrize(("kind", "data"), [("declaration", declared()), ("receipt", received())])
def test_paper_is_rendered_when_it_is_asked_for_and_nothing_is_kept(
    service: Service, dossier: Any, kind: str, data: dict[str, Any]
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=data)

    dossier(answer)
    first, second = (service.get(f"/dossiers/{DOSSIER_ID}/{kind}?language=fr") for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.data == second.data == PAPERS[["declaration", "receipt"].index(kind)]
    assert first.mimetype == "application/pdf"
    assert first.headers["ETag"] == f'"{hashlib.sha256(first.data).hexdigest()}"'
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["Content-Disposition"].startswith("attachment; filename=")
    assert asked[0].url.path == f"/api/dossier/v1/dossiers/{DOSSIER_ID}/{kind}"
    assert asked[0].url.params["language"] == "fr"
    assert asked[0].headers["Authorization"].startswith("Bearer ey")
    with service.database.session() as session:
        for table in ("documents", "manifests", "event_log", "idempotency_keys"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_paper_speaks_the_wanted_language(service: Service, dossier: Any) -> None:
    dossier(lambda request: httpx.Response(200, json=received(language=request.url.params["language"])))
    answer = service.get(f"/dossiers/{DOSSIER_ID}/receipt?language=de")
    assert "Empfangsbest%C3%A4tigung%20ME-2024-000123-7.pdf" in answer.headers["Content-Disposition"]
    assert service.get(f"/dossiers/{DOSSIER_ID}/receipt?language=xx").status_code == 422


def test_dossiers_refusal_is_passed_on_and_its_absence_is_503(service: Service, dossier: Any) -> None:
    refusal = {"status": 409, "code": "not_validated", "detail": "Validez d’abord."}
    dossier(lambda request: httpx.Response(409, json=refusal))
    answer = service.get(f"/dossiers/{DOSSIER_ID}/declaration")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_validated")
    dossier(lambda request: httpx.Response(502))
    assert service.get(f"/dossiers/{DOSSIER_ID}/declaration").status_code == 503
