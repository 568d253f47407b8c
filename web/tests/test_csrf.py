"""Forms come from our own pages, or nothing happens."""

import pytest
from sqlalchemy import text

PUBLIC = "http://localhost:8080"


def unsafe_routes(app):
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    return [rule for rule in rules if rule.rule != "/connexion/backchannel"]


def fill(rule):
    values = dict.fromkeys(rule.arguments, "6b1f0b1e-5d5e-4d9f-9a55-0d3c5b8a0009")
    path = rule.rule
    for name, value in values.items():
        path = path.replace(f"<uuid:{name}>", value).replace(f"<{name}>", value)
    return path


def test_every_form_without_token_is_refused(app, citizen, services):
    before = len(services.calls)
    for rule in unsafe_routes(app):
        answer = citizen.client.post(fill(rule), base_url=PUBLIC, headers={"Origin": PUBLIC})
        assert answer.status_code == 400, rule.rule
    assert len(services.calls) == before


def test_every_form_with_another_users_token_is_refused(app, citizen, another_browser):
    another_browser.log_in()
    token = another_browser.token("/accueil")
    for rule in unsafe_routes(app):
        answer = citizen.client.post(
            fill(rule), base_url=PUBLIC, data={"jeton": token}, headers={"Origin": PUBLIC}
        )
        assert answer.status_code == 400, rule.rule


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": PUBLIC, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_form_from_elsewhere_is_refused_even_with_the_token(app, citizen, headers):
    token = citizen.token("/accueil")
    for rule in unsafe_routes(app):
        answer = citizen.client.post(fill(rule), base_url=PUBLIC, data={"jeton": token}, headers=headers)
        assert answer.status_code == 400, rule.rule


def test_visitor_form_needs_its_own_visit(browser, another_browser):
    token = another_browser.token("/")
    browser.get("/")
    answer = browser.client.post(
        "/langue", base_url=PUBLIC, data={"jeton": token, "langue": "nl"}, headers={"Origin": PUBLIC}
    )
    assert answer.status_code == 400


def test_visitor_can_change_language(browser):
    answer = browser.post("/langue", {"langue": "nl", "retour": "/cookies"}, page="/cookies")
    assert (answer.status_code, answer.location) == (303, "/cookies")
    assert '<html lang="nl"' in browser.get("/cookies").text


def test_language_of_a_refusal_leads_to_a_page_that_exists(citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/pieces/reclamation/{dossier['id']}/suppression"
    services.down.add("dossier")
    answer = citizen.post(path, page="/profil")
    assert answer.status_code == 503
    assert 'name="retour" value="/accueil"' in answer.text


@pytest.mark.parametrize("path", ["/api", "/dossiers//x", "/accueil/"])
def test_no_answer_leads_to_the_host_that_was_asked_for(browser, path):
    answer = browser.client.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers.get("Location", "")
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_probe_has_one_address(browser, path):
    assert browser.get(path).status_code == 200
    assert browser.get(f"{path}/").status_code == 404


def test_every_page_but_the_public_ones_needs_a_session(app, browser):
    public = {
        "/", "/connexion", "/connexion/retour", "/deconnecte", "/confirmation/<token>", "/accessibilite",
        "/vie-privee", "/cookies", "/api/", "/api/<any('identity', 'scheduler'):service>/openapi.json",
        "/favicon.ico", "/livez", "/readyz", "/metrics",
        "/static/<path:filename>", "/erreur/<any('403', '404', '413', '429', '502', '504'):status>",
    }  # fmt: skip
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule not in public:
            assert browser.get(fill(rule)).status_code == 401, rule.rule


def test_headers_on_every_answer(citizen):
    for path in ("/accueil", "/nulle-part", "/static/app.js", "/connexion/retour"):
        with citizen.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' http://127.0.0.1:8081" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert citizen.get("/accueil").headers["Cache-Control"] == "no-store"


def test_it_is_not_ready_before_the_migration(app, browser):
    with app.extensions["espace_web"].database.transaction() as unit:
        unit.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json["reason"][:13]) == (503, "migrate first")
