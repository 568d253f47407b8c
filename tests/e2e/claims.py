"""What a candidate types into the claim, and what makes it ready to deposit."""

from typing import Any

from login_simulator.citizens import Citizen, load
from tests.e2e.app import App, expect
from tests.e2e.pdfs import signed_claim

CHARLEROI = "52011"
PROCEDURE = "reclamation-electorale"
COMPLETE: dict[str, Any] = {
    "phone": "+32 470 12 34 56",
    "election": "communales",
    "electoral_list": "Liste 7",
    "completeness": "complete",
    "sworn_candidate": True,
    "sworn_truth": True,
}
WITH_DRC = COMPLETE | {"completeness": "drc", "missing_pieces": "Procès-verbal du bureau 12"}
QUESTION = "question-administration"
QUESTION_VALUES = {"subject": "Bulletins", "question": "Où les bulletins sont-ils gardés ?"}


def reported_on_the_13th(citizen: Citizen) -> bool:
    """Her report is of 13 October; Charleroi's and those of the province of Liège are of the day after."""
    ins = citizen.address.commune_ins
    return ins != CHARLEROI and ins[0] != "6"


def candidates(plain: int = 0) -> list[Citizen]:
    """Citizens without a story whose report is of the 13th; ``plain`` more than the demonstration has."""
    return [c for c in load(plain) if c.username.startswith("citoyen") and reported_on_the_13th(c)]


def ready_claim(app: App, values: dict[str, Any] | None = None) -> Any:
    """A validated claim with its signed piece, one submission away from the deposit."""
    draft = app.draft(PROCEDURE, values or COMPLETE)
    return app.attach(draft["id"])


def ready_question(app: App) -> Any:
    """A validated question with a document; there may be many of one citizen, at any time."""
    draft = app.draft(QUESTION, QUESTION_VALUES)
    return app.attach(draft["id"], "autres")


def deposit_with_drc(app: App) -> tuple[Any, Any]:
    """A claim deposited with the DRC box: the dossier and its open request."""
    receipt = expect(app.submit(ready_claim(app, WITH_DRC)), 201)
    dossier = app.dossier(receipt["dossier_id"])
    return dossier, dossier["information_requests"][0]


def add_to_request(app: App, dossier: Any, request: Any) -> str:
    """Upload a piece and add it to the request, unsent; the request's content hash afterwards."""
    piece = signed_claim("Pièce complémentaire")
    completed = expect(app.upload(dossier["id"], "complement", piece, "pièce complémentaire.pdf"), 200)
    path = f"dossier/v1/dossiers/{dossier['id']}/information-requests/{request['id']}/attachments"
    expect(app.call("POST", path, {"statement": completed["statement"]}), 201)
    return str(app.dossier(dossier["id"])["information_requests"][0]["content_sha256"])


def answer(app: App, dossier: Any, request: Any) -> Any:
    """Add a piece to the request and send it."""
    content = add_to_request(app, dossier, request)
    path = f"dossier/v1/dossiers/{dossier['id']}/information-requests/{request['id']}/answer"
    return expect(app.call("POST", path, {"content_sha256": content}), 201)
