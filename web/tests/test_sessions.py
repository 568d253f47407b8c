"""What ends a session, what survives it, and the refresh of its tokens."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from espace.clock import utcnow
from espace.config import SettingsError
from espace_web.vault import Tampered, Vault

NEW_KEY = "a new key, longer than thirty-two characters"
BACKCHANNEL = "http://schemas.openid.net/event/backchannel-logout"


def age(app, column, interval):
    with app.extensions["espace_web"].database.transaction() as work:
        work.session.execute(text(f"UPDATE sessions SET {column} = now() - interval '{interval}'"))


def logout_token(services, header=None, **claims):
    filled = {"aud": "web", "sub": None, "sid": "sid-1", "events": {BACKCHANNEL: {}}, **claims}
    return services.issuer.sign(filled, header=header or {"typ": "logout+jwt"})


@pytest.mark.parametrize(
    ("column", "interval"), [("seen_at", "31 minutes"), ("created_at", "12 hours 1 second")]
)
def test_session_over_time_is_over(app, citizen, column, interval):
    assert citizen.get("/accueil").status_code == 200
    age(app, column, interval)
    assert citizen.get("/accueil").status_code == 401


def test_activity_keeps_the_session(app, citizen):
    age(app, "seen_at", "29 minutes")
    assert citizen.get("/accueil").status_code == 200
    with app.extensions["espace_web"].database.session() as session:
        assert session.execute(text("SELECT now() - seen_at < interval '1 minute' FROM sessions")).scalar()


def test_database_holds_neither_cookie_nor_tokens(app, citizen):
    with app.extensions["espace_web"].database.session() as session:
        (line,) = session.execute(text("SELECT sessions::text FROM sessions")).scalars()
    assert citizen.session_cookie not in line
    assert "access-" not in line
    assert citizen.session_cookie.encode().hex() not in line


def test_logout_ends_here_and_at_the_provider(citizen, services):
    old = citizen.session_cookie
    answer = citizen.post("/deconnexion", page="/accueil")
    assert answer.status_code == 303
    assert answer.location == "/deconnecte"
    assert len(services.ended) == 1
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    citizen.client.set_cookie("__Host-mes", old, domain="localhost")
    assert citizen.get("/accueil").status_code == 401
    assert "Vous êtes déconnecté" in citizen.get("/deconnecte").text


def test_logout_that_identity_does_not_answer_asks_there_and_carries_no_token(citizen, services):
    page = citizen.get("/accueil")
    services.down.add("identity")
    answer = citizen.post_stale(page, "/deconnexion", {})
    assert answer.location.startswith("http://localhost:8080/identity/logout?client_id=web&")
    assert "id_token" not in answer.location
    services.down.clear()
    assert citizen.get("/accueil").status_code == 401


def test_logout_by_get_does_nothing(citizen):
    assert citizen.get("/deconnecte").location == "/accueil"
    assert citizen.get("/deconnexion").status_code == 405
    assert citizen.get("/accueil").status_code == 200


def test_back_channel_logout_ends_the_session(citizen, another_browser, services):
    answer = another_browser.client.post(
        "/connexion/backchannel", data={"logout_token": logout_token(services)}
    )
    assert answer.status_code == 200
    assert citizen.get("/accueil").status_code == 401


def test_logout_token_is_obeyed_once(another_browser, services):
    token = logout_token(services)
    send = lambda: another_browser.client.post("/connexion/backchannel", data={"logout_token": token})  # noqa: E731
    assert [send().status_code, send().status_code] == [200, 400]


@pytest.mark.parametrize(
    "claims",
    [
        {"header": {"typ": "JWT"}},
        {"nonce": "n"},
        {"events": {}},
        {"aud": "another"},
        {"iss": "http://evil.example"},
        {"sid": None},
        {"jti": None},
        {"iat": 1_700_000_000},
    ],
)
def test_wrong_logout_token_is_refused(citizen, services, claims):
    token = logout_token(services, **claims)
    answer = citizen.client.post("/connexion/backchannel", data={"logout_token": token})
    assert answer.status_code == 400
    assert citizen.get("/accueil").status_code == 200


def test_stale_token_is_refreshed_before_the_call(citizen, services, app):
    make_stale(app)
    assert citizen.get("/accueil").status_code == 200
    assert services.refreshes == 1


def test_two_tabs_refresh_once(citizen, services, app):
    make_stale(app)
    cookie = citizen.session_cookie
    results = []

    def tab():
        client = app.test_client()
        client.set_cookie("__Host-mes", cookie, domain="localhost")
        results.append(client.get("/accueil", base_url="http://localhost:8080").status_code)

    tabs = [threading.Thread(target=tab) for _ in range(4)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join(20)
    assert results == [200] * 4
    assert services.refreshes == 1


def test_refused_refresh_ends_the_session(citizen, services, app):
    make_stale(app)
    services.refresh_refused = True
    assert citizen.get("/accueil").status_code == 401
    assert citizen.get("/accueil").status_code == 401
    assert services.refreshes == 1


def test_identity_away_during_refresh_keeps_the_session(citizen, services, app):
    make_stale(app)
    services.down.add("identity")
    assert citizen.get("/accueil").status_code == 503
    services.down.clear()
    assert citizen.get("/accueil").status_code == 200


def test_form_sent_after_the_end_is_given_back_after_login(app, citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    assert page.status_code == 200
    age(app, "seen_at", "31 minutes")
    answer = citizen.post_stale(page, path, {"phone": "0470 12 34 56", "election": "communales"})
    assert answer.status_code == 401
    assert "Vos données sont conservées" in answer.text
    assert dossier["values"] == {}
    citizen.log_in()
    again = citizen.get(path)
    assert "0470 12 34 56" in again.text
    assert "voici la page telle que vous l’aviez remplie" in again.text
    with app.extensions["espace_web"].database.session() as session:
        (line,) = session.execute(text("SELECT kept_forms::text FROM kept_forms")).scalars()
    assert b"0470".hex() not in line
    citizen.post(path, {"phone": "0470 12 34 56"})
    assert "voici la page telle que vous l’aviez remplie" not in citizen.get(path).text


@pytest.mark.parametrize(
    "end",
    [
        lambda app, another, services: age_both(app, "13 hours"),
        lambda app, another, services: age_both(app, "36 hours"),
        lambda app, another, services: another.client.post(
            "/connexion/backchannel", data={"logout_token": logout_token(services)}
        ),
    ],
)
def test_form_sent_long_after_the_end_is_given_back_whoever_logged_in_meanwhile(
    app, citizen, another_browser, services, end
):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    end(app, another_browser, services)
    another_browser.log_in()
    assert citizen.get("/accueil").status_code == 401  # another tab of hers saw it first
    answer = citizen.post_stale(page, path, {"phone": "0470 12 34 56"})
    assert answer.status_code == 401
    assert "Vos données sont conservées" in answer.text
    citizen.log_in()
    assert "0470 12 34 56" in citizen.get(path).text


def age_both(app, interval):
    age(app, "created_at", interval)
    age(app, "seen_at", interval)


def test_nothing_of_an_ended_session_stays_but_whose_it_was_and_that_not_for_ever(
    app, citizen, another_browser
):
    house = app.extensions["espace_web"]
    token = citizen.session_cookie
    citizen.post("/deconnexion", page="/accueil")
    with house.database.session() as session:
        assert session.execute(text("SELECT sealed FROM sessions")).scalars().all() == [None]
    age(app, "ended_at", "37 hours")
    another_browser.log_in()
    assert house.store.whose(token) is None


def test_refused_refresh_leaves_other_tabs_what_they_need(app, citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    make_stale(app)
    services.refresh_refused = True
    assert citizen.get("/accueil").status_code == 401
    answer = citizen.post_stale(page, path, {"phone": "0470 12 34 56"})
    assert "Vos données sont conservées" in answer.text


def use_keys(app, *keys):
    """The program with other session keys."""
    house = app.extensions["espace_web"]
    house.store._vault = Vault(keys)
    app.extensions["espace_web"] = replace(house, vault=house.store._vault)


def test_new_session_key_before_the_old_one_ends_nobodys_session(app, citizen):
    page = citizen.get("/profil")
    use_keys(
        app, "a new key, longer than thirty-two characters", "a key for tests, longer than 32 characters"
    )
    answer = citizen.post_stale(page, "/profil", {"courriel": "nouvelle@exemple.be"})
    assert answer.location == "/profil?envoye=1"
    citizen.post("/deconnexion", page="/accueil")
    citizen.log_in()
    use_keys(app, NEW_KEY)
    assert citizen.get("/accueil").status_code == 200


def test_key_that_is_gone_means_no_session(app, citizen, services):
    page = citizen.get("/profil")
    services.down.add("profile")
    citizen.post_stale(page, "/profil", {"courriel": "nouvelle@exemple.be"})
    services.down.clear()
    use_keys(app, NEW_KEY)
    assert citizen.get("/accueil").status_code == 401
    citizen.log_in()
    assert "nouvelle@exemple.be" not in citizen.get("/profil").text


def test_vault_opens_nothing_of_another_key_or_context():
    vault = Vault(["one"])
    sealed = vault.seal({"a": 1}, "here")
    assert vault.open(sealed, "here") == {"a": 1}
    for other, where in ((vault, "there"), (Vault(["two"]), "here")):
        with pytest.raises(Tampered):
            other.open(sealed, where)
    with pytest.raises(Tampered):
        vault.open(b"", "here")


@pytest.mark.parametrize("keys", ["short", f"{'k' * 32}\nshort", "\n"])
def test_short_session_key_is_told_at_the_start(app, keys):
    settings = app.extensions["espace_web"].settings
    with pytest.raises(SettingsError):
        replace(settings, session_key=keys)
    assert replace(settings, session_key=f"{'n' * 32}\n{'o' * 32}\n").session_keys == ["n" * 32, "o" * 32]


def test_session_lost_at_confirming_leads_back_to_the_same_page(app, citizen, services):
    dossier = services.add_dossier() | {"state": "validated", "actions": ["submit"], "content_sha256": "b"}
    services.dossiers[dossier["id"]] = dossier
    path = f"/dossiers/{dossier['id']}/verification"
    page = citizen.get(path)
    age(app, "seen_at", "31 minutes")
    answer = citizen.post_stale(page, path, {})
    assert answer.status_code == 401
    assert f'href="/connexion?retour={path}"' in answer.text


def test_form_of_an_older_session_is_refused_and_kept(citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    citizen.log_in()
    answer = citizen.post_stale(page, path, {"phone": "0499"})
    assert answer.status_code == 400
    assert dossier["values"] == {}
    assert "0499" in citizen.get(path).text


def test_form_sent_while_its_service_is_away_is_given_back(citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    services.down.add("dossier")
    answer = citizen.post_stale(page, path, {"phone": "0470 12 34 56"})
    assert answer.status_code == 503
    assert "Vos données sont conservées" in answer.text
    assert answer.headers["Retry-After"]
    services.down.clear()
    assert "0470 12 34 56" in citizen.get(path).text


def test_form_sent_when_identity_gives_no_more_tokens_is_given_back_after_login(app, citizen, services):
    dossier = services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    page = citizen.get(path)
    make_stale(app)
    services.refresh_refused = True
    answer = citizen.post_stale(page, path, {"phone": "0470 12 34 56"})
    assert answer.status_code == 401
    assert "Vos données sont conservées" in answer.text
    services.refresh_refused = False
    citizen.log_in()
    assert "0470 12 34 56" in citizen.get(path).text


def test_address_typed_while_profile_is_away_is_given_back(citizen, services):
    page = citizen.get("/profil")
    services.down.add("profile")
    assert citizen.post_stale(page, "/profil", {"courriel": "nouvelle@exemple.be"}).status_code == 503
    services.down.clear()
    assert "nouvelle@exemple.be" in citizen.get("/profil").text


def make_stale(app):
    store = app.extensions["espace_web"].store
    with app.extensions["espace_web"].database.transaction() as work:
        from espace_web.tables import SessionRow

        row = work.session.query(SessionRow).one()
        data = store._vault.open(row.sealed, str(row.id))
        data["tokens"]["expires_at"] = utcnow().timestamp() + 5
        row.sealed = store._vault.seal(data, str(row.id))
