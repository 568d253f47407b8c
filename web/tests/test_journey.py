"""The guide's journey without JavaScript, page by page, and what it promises when something goes wrong."""

import io
import re

import pytest

PDF = b"%PDF-1.7 a signed claim"


@pytest.fixture
def draft(citizen, services):
    return services.add_dossier()


@pytest.fixture
def validated(draft, services):
    draft |= {"state": "validated", "validated_at": "2024-10-15T07:00:00Z", "values_sha256": "a" * 64}
    draft |= {"content_sha256": "b" * 64, "actions": ["edit", "attach"], "errors": {}}
    return draft


def pdf(name="reclamation.pdf", content=PDF, kind="application/pdf"):
    return {"fichier": (io.BytesIO(content), name, kind)}


def test_first_visit_passes_every_screen_of_the_guide(browser, services):
    services.profile |= {"space": "none", "private_email": None}
    assert browser.finish_login(browser.begin_login()).location == "/suite"
    assert browser.get("/accueil").location == "/nouveautes"
    assert "Quoi de neuf dans Mon Espace ?" in browser.get("/nouveautes").text
    assert browser.post("/nouveautes", {"masquer": "1"}).location == "/suite"
    assert services.profile["notices"]["news"]["hidden"] is True
    assert browser.get("/suite").location == "/espace"
    browser.post("/espace")
    assert browser.get("/suite").location == "/espace/profil-prive"
    assert "lucie.delvaux@exemple.be" in browser.get("/espace/profil-prive").text
    wrong = browser.post("/espace/profil-prive", {"courriel": "lucie"})
    assert wrong.status_code == 422
    assert 'value="lucie"' in wrong.text
    assert browser.post("/espace/profil-prive", {"courriel": "lucie@exemple.be"}).status_code == 303
    sent = browser.get("/espace/message-envoye").text
    assert "lucie@exemple.be" in sent
    assert "24 heures" in sent
    assert browser.post("/espace/message-envoye").location.endswith("renvoye=1")
    assert browser.get("/confirmation/abc").status_code == 200
    assert services.profile["space"] == "pending"
    assert "Votre espace citoyen est créé" in browser.post("/confirmation/abc").text
    assert browser.get("/suite").location == "/protection-des-donnees"
    assert browser.post("/protection-des-donnees").location == "/suite"
    assert browser.get("/suite").location == "/accueil"
    assert "Bonjour, Lucie" in browser.get("/accueil").text


def test_confirming_another_address_creates_no_space(citizen, browser, services):
    services.profile["pending_email"] = "nouvelle@exemple.be"
    page = citizen.post("/confirmation/abc").text
    assert "est créé" not in page
    assert "Votre adresse courriel est confirmée" in page


def test_message_asked_for_when_none_is_wanted_says_so(citizen, services):
    answer = citizen.post("/profil/renvoi", page="/accueil")
    assert answer.status_code == 409
    assert "Aucune adresse n’attend d’être confirmée." in answer.text
    assert "dossier" not in re.sub(r"Mes Dossiers|/dossiers", "", answer.text)


def test_link_that_is_over_says_so(browser):
    answer = browser.post("/confirmation/old")
    assert answer.status_code == 410
    assert "24 heures" in answer.text


def test_search_fill_in_and_errors_at_the_fields(citizen, services):
    assert "Introduction d&#39;une réclamation" in citizen.get("/demarches?q=reclamation").text
    assert "Aucune démarche" in citizen.get("/demarches?q=zzz").text
    answer = citizen.post("/demarches/reclamation-electorale")
    (dossier,) = services.dossiers.values()
    path = f"/dossiers/{dossier['id']}/formulaire"
    assert answer.location == path
    wrong = citizen.post(path, {"election": "communales", "action": "suite"})
    assert wrong.status_code == 422
    assert "Un problème est à corriger" in wrong.text
    assert 'href="#electoral_list"' in wrong.text
    assert 'id="electoral_list-error"' in wrong.text
    assert dossier["values"]["election"] == "communales"
    right = {
        "election": "communales",
        "electoral_list": "Liste 7 <b>",
        "complete": "complete",
        "sworn_truth": "1",
        "sworn_candidate": "1",
        "action": "suite",
    }
    assert citizen.post(path, right).location == f"{path}/resume"
    summary = citizen.get(f"{path}/resume").text
    assert "Liste 7 &lt;b&gt;" in summary
    assert citizen.post(f"{path}/resume").location == f"/dossiers/{dossier['id']}/pieces?valide=1"
    assert dossier["state"] == "validated"


def test_form_sent_twice_is_saved_once_and_goes_on(citizen, draft):
    path = f"/dossiers/{draft['id']}/formulaire"
    page = citizen.get(path)
    values = {"phone": "081 22 33 44", "action": "enregistrer"}
    assert citizen.post_stale(page, path, values).status_code == 303
    assert citizen.post_stale(page, path, values).status_code == 303


def test_form_changed_in_another_window_keeps_what_was_typed(citizen, draft):
    path = f"/dossiers/{draft['id']}/formulaire"
    page = citizen.get(path)
    citizen.post(path, {"phone": "1"})
    answer = citizen.post_stale(page, path, {"phone": "2"})
    assert answer.status_code == 412
    assert "modifié dans une autre fenêtre" in answer.text
    assert 'value="2"' in answer.text
    assert draft["values"]["phone"] == "1"


def test_autosave_answers_with_the_version(citizen, draft):
    path = f"/dossiers/{draft['id']}/formulaire"
    answer = citizen.post(path, {"phone": "3"}, headers={"Accept": "application/json"})
    assert answer.json == {"version": 2, "saved_at": "2024-10-15T07:00:00Z"}


def test_file_without_javascript_is_sent_on_and_attached(citizen, validated, services):
    path = f"/dossiers/{validated['id']}/pieces/reclamation"
    answer = citizen.post(path, pdf())
    assert answer.location == f"{path}?ajoute=1"
    assert PDF in services.stored["last"]
    (piece,) = validated["attachments"]
    assert piece["filename"] == "reclamation.pdf"
    assert "reclamation.pdf" in citizen.get(path).text
    citizen.post(f"{path}/{piece['document_id']}/suppression", page=path)
    assert validated["attachments"] == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (pdf(content=b""), "Le fichier est vide"),
        ({}, "Choisissez un fichier"),
        (pdf("chiffre.pdf"), "protégé par un mot de passe"),
        (pdf("notes.txt", kind="text/plain"), "type de fichier"),
    ],
)
def test_wrong_file_says_what_to_do_and_leaves_the_rest(citizen, validated, file, words):
    answer = citizen.post(f"/dossiers/{validated['id']}/pieces/reclamation", dict(file))
    assert answer.status_code == 422
    assert words in answer.text
    assert validated["attachments"] == []


def test_file_one_byte_too_large_is_refused_before_it_is_sent(citizen, validated, services):
    validated["slots"][0]["max_bytes"] = 1000
    answer = citizen.post(f"/dossiers/{validated['id']}/pieces/reclamation", pdf(content=b"x" * 1001))
    assert answer.status_code == 422  # the gateway has its own page for 413
    assert "taille maximale" in answer.text
    assert services.stored == {}


def test_names_are_only_ever_text(citizen, validated):
    path = f"/dossiers/{validated['id']}/pieces/reclamation"
    citizen.post(path, pdf("<img onerror=x>😀.pdf"))
    page = citizen.get(path).text
    assert "<img onerror" not in page
    assert "😀.pdf" in page


def test_drc_is_shown_and_answered(citizen, validated, services):
    validated |= {"actions": ["edit", "attach", "submit"], "missing_slots": [], "values": {"complete": "drc"}}
    citizen.post(f"/dossiers/{validated['id']}/verification")
    assert "Action requise" in citizen.get("/dossiers").text
    page = citizen.get(f"/dossiers/{validated['id']}").text
    assert "Pièces complémentaires à la réclamation" in page
    assert "vendredi 25 octobre 2024" in page
    assert re.search(r'aria-current="step"><span class="me-steps__name">DRC', page)
    path = f"/dossiers/{validated['id']}/drc/{validated['information_requests'][0]['id']}"
    assert citizen.post(f"{path}/pieces", pdf("annexe.pdf")).status_code == 303
    assert citizen.post(f"{path}/verification").location == f"{path}?envoye=1"
    assert "Votre réponse a été envoyée" in citizen.get(path).text
    assert "Action requise" not in citizen.get("/dossiers").text


def test_file_can_be_removed_when_no_other_fits(citizen, services):
    dossier = services.claims.add_deposited(complete="drc")
    (wanted,) = dossier["information_requests"]
    wanted |= {"attachments": [{**dossier["attachments"][0], "sent": False}], "actions": ["answer"]}
    page = citizen.get(f"/dossiers/{dossier['id']}/drc/{wanted['id']}").text
    assert "suppression" in page
    assert "Ajouter un fichier" not in page


def test_notices_may_be_missing_alone(citizen, validated, services):
    validated["state"] = "submitted"
    services.down.add("notifier")
    page = citizen.get(f"/dossiers/{validated['id']}")
    assert page.status_code == 200
    assert "momentanément indisponible" in page.text


def test_service_away_is_503_with_words(citizen, services):
    services.down.add("dossier")
    answer = citizen.get("/dossiers")
    assert answer.status_code == 503
    assert "Ce qui était enregistré l’est toujours" in answer.text


def test_profile_shows_the_national_number_as_people_read_it(citizen):
    assert "85.07.30-033.28" in citizen.get("/profil").text


def test_unknown_dossier_is_404(citizen):
    assert citizen.get("/dossiers/6b1f0b1e-5d5e-4d9f-9a55-0d3c5b8a0009").status_code == 404
    assert citizen.get("/dossiers/not-an-id").status_code == 404


@pytest.mark.parametrize("version", ["²", "9" * 5000, "", "x"])
def test_version_that_is_none_is_the_present_one(citizen, draft, version):
    path = f"/dossiers/{draft['id']}/formulaire"
    values = {"phone": "1", "version": version, "action": "enregistrer"}
    assert citizen.post(path, values).status_code == 303
    assert draft["values"]["phone"] == "1"


def test_another_language_saves_the_draft_first(citizen, draft, services):
    path = f"/dossiers/{draft['id']}/formulaire"
    answer = citizen.post(path, {"phone": "0470 12 34 56", "langue": "nl"})
    assert answer.location == path
    assert draft["values"]["phone"] == "0470 12 34 56"
    page = citizen.get(path).text
    assert '<html lang="nl"' in page
    assert "0470 12 34 56" in page


def test_another_language_does_not_save_over_another_window(citizen, draft):
    path = f"/dossiers/{draft['id']}/formulaire"
    page = citizen.get(path)
    citizen.post(path, {"phone": "1"})
    answer = citizen.post_stale(page, path, {"phone": "2", "langue": "nl"})
    assert answer.status_code == 412
    assert 'value="2"' in answer.text


@pytest.mark.parametrize("path", ["/profil", "/espace/profil-prive"])
@pytest.mark.parametrize("aside", [{"langue": "en"}, {"cookies": "1"}])
def test_address_being_typed_stays_and_is_not_sent(citizen, services, path, aside):
    services.profile["space"] = "confirmed" if path == "/profil" else "none"
    answer = citizen.post(path, {"courriel": "nouvelle@exemple.be", **aside}, page=path)
    assert answer.location == path
    assert "nouvelle@exemple.be" in citizen.get(path).text
    assert services.profile["pending_email"] is None


def test_unknown_language_is_refused(citizen, draft):
    answer = citizen.post(f"/dossiers/{draft['id']}/formulaire", {"langue": "xx"})
    assert answer.status_code == 400


@pytest.mark.parametrize("paper", ["declaration", "recepisse.pdf"])
def test_papers_come_through_web_and_are_not_stored(citizen, services, paper):
    dossier = services.claims.add_deposited()
    answer = citizen.get(f"/dossiers/{dossier['id']}/{paper}")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert {method for method, path, _ in services.calls if path.startswith("/api/documents")} == {"GET"}


def test_get_changes_nothing(citizen, services, draft):
    deposited = services.claims.add_deposited()
    for path in (
        f"/dossiers/{deposited['id']}/declaration",
        f"/dossiers/{deposited['id']}/recepisse",
        f"/dossiers/{deposited['id']}/recepisse.pdf",
        "/accueil",
        "/dossiers",
        "/demarches",
        "/profil",
        f"/dossiers/{draft['id']}",
        "/confirmation/abc",
    ):
        citizen.get(path)
    assert {method for method, path, _key in services.calls if path.startswith("/api")} == {"GET"}


def test_api_page_lists_every_service_even_when_one_is_away(browser, services):
    services.down.add("documents")
    page = browser.get("/api/").text
    assert "/api/dossier/openapi.json" in page
    assert "momentanément indisponible" in page
