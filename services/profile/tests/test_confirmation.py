"""The private address and its link: 24 hours, once, the last one only."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import pytest
from sqlalchemy import text

from espace import contracts

MAIL = "nora.elamrani@courriel.example"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json["code"]) == (status, code)
    data: dict[str, Any] = answer.json
    return data


def give(service: Any, citizen: UUID, email: str = MAIL) -> Any:
    return service.call(citizen, "PUT", "/profile/email", {"email": email})


def test_someone_new_has_an_empty_profile_and_reading_it_stores_nothing(service: Any, citizen: UUID) -> None:
    assert service.profile(citizen) == {
        "citizen_id": str(citizen),
        "language": "fr",
        "private_email": None,
        "pending_email": None,
        "space": "none",
        "confirmation_expires_at": None,
        "notices": {
            name: {"version": "", "hidden": False} for name in ("news", "cookies", "data_protection")
        },
    }
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM profiles")).scalar_one() == 0


def test_the_journey_from_the_address_to_the_space(service: Any, citizen: UUID) -> None:
    answer = give(service, citizen, "Nora.ElAmrani@Courriel.EXAMPLE")
    assert answer.status_code == 200
    assert (answer.json["space"], answer.json["private_email"]) == ("pending", None)
    assert answer.json["pending_email"] == "Nora.ElAmrani@courriel.example"
    assert answer.json["confirmation_expires_at"]

    [(kind, version, data)] = service.events(citizen)
    assert (kind, version) == ("be.espace.profile.email_confirmation_requested.v1", 1)
    assert "courriel" not in json.dumps(data)
    confirmation = service.internal(f"/confirmations/{data['confirmation_id']}").json
    assert confirmation["email"] == "Nora.ElAmrani@courriel.example"
    assert (confirmation["language"], confirmation["state"]) == ("fr", "open")
    assert confirmation["link"].startswith("http://localhost:8080/confirmation/")
    assert service.internal(f"/citizens/{citizen}/contact").json["email"] is None

    token = service.token(citizen)
    assert (service.use(token).status_code, service.use(token).json) == (200, {"status": "already"})

    profile = service.profile(citizen)
    assert (profile["space"], profile["pending_email"]) == ("confirmed", None)
    assert service.internal(f"/citizens/{citizen}/contact").json == {
        "email": "Nora.ElAmrani@courriel.example",
        "language": "fr",
        "space": "confirmed",
    }
    assert [event[:2] for event in service.events(citizen)] == [
        ("be.espace.profile.email_confirmation_requested.v1", 1),
        ("be.espace.profile.space_confirmed.v1", 2),
    ]
    used = service.internal(f"/confirmations/{data['confirmation_id']}").json
    assert (used["state"], used["link"]) == ("used", None)


def test_what_is_published_keeps_its_contract(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    service.use(service.token(citizen))
    published = service.events(citizen)
    assert len(published) == 2
    for kind, _, data in published:
        jsonschema.Draft202012Validator(
            contracts.schemas()[kind], format_checker=jsonschema.FormatChecker()
        ).validate(data)


def test_fifty_uses_of_one_link_at_once_have_one_effect(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    token = service.token(citizen)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: service.use(token), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json["status"] for answer in answers).count("confirmed") == 1
    assert len(service.events(citizen)) == 2


def test_a_new_message_makes_the_link_before_worthless(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    old = service.token(citizen)
    assert service.call(citizen, "POST", "/profile/email/resend").status_code == 200
    new = service.token(citizen)
    assert new != old
    problem(service.use(old), 410, "link_replaced")
    assert service.profile(citizen)["space"] == "pending"
    assert service.use(new).json == {"status": "confirmed"}
    problem(service.use(old), 410, "link_replaced")


def test_a_link_ends_after_24_hours(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    service.later(citizen, 24 * 3600 - 60)
    assert service.internal(_confirmation(service, citizen)).json["state"] == "open"
    service.later(citizen, 61)
    expired = service.internal(_confirmation(service, citizen)).json
    assert (expired["state"], expired["link"]) == ("expired", None)
    problem(service.use(_token(service, citizen)), 410, "link_expired")
    assert service.profile(citizen)["private_email"] is None
    assert service.call(citizen, "POST", "/profile/email/resend").status_code == 200
    assert service.use(service.token(citizen)).status_code == 200


def test_changing_the_address_keeps_the_old_one_until_the_new_is_confirmed(
    service: Any, citizen: UUID
) -> None:
    give(service, citizen)
    service.use(service.token(citizen))
    answer = give(service, citizen, "nora@ailleurs.example")
    assert (answer.json["space"], answer.json["private_email"]) == ("confirmed", MAIL)
    assert answer.json["pending_email"] == "nora@ailleurs.example"
    assert service.internal(f"/citizens/{citizen}/contact").json["email"] == MAIL
    service.use(service.token(citizen))
    assert service.profile(citizen)["private_email"] == "nora@ailleurs.example"
    kinds = [event[0].split(".")[3] for event in service.events(citizen)]
    assert kinds == ["email_confirmation_requested", "space_confirmed", "email_confirmation_requested"]


def test_going_back_to_the_confirmed_address_drops_what_waits(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    service.use(service.token(citizen))
    give(service, citizen, "nora@ailleurs.example")
    waiting = service.token(citizen)
    assert give(service, citizen).json["pending_email"] is None
    problem(service.use(waiting), 410, "link_replaced")
    assert service.profile(citizen)["private_email"] == MAIL


def test_a_double_click_sends_one_message(service: Any, citizen: UUID) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: give(service, citizen), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(service.events(citizen)) == 1
    service.later(citizen, 61)
    give(service, citizen)
    assert len(service.events(citizen)) == 2


def test_messages_are_limited_by_the_hour(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    for _ in range(4):
        service.call(citizen, "POST", "/profile/email/resend")
    answer = service.call(citizen, "POST", "/profile/email/resend")
    problem(answer, 429, "too_many_messages")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    problem(give(service, citizen, "another@courriel.example"), 429, "too_many_messages")
    assert len(service.events(citizen)) == 5
    assert service.use(service.token(citizen)).status_code == 200
    service.later(citizen, 3601)
    assert give(service, citizen, "another@courriel.example").status_code == 200


def test_nothing_to_send_again(service: Any, citizen: UUID) -> None:
    problem(service.call(citizen, "POST", "/profile/email/resend"), 409, "nothing_to_confirm")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nora",
        "nora@",
        "@courriel.example",
        "nora@localhost",
        "a@b.example,c@d.example",
        "a@b.example\r\nBcc: c@d.example",
        "Nora <nora@courriel.example>",
        "nora@[127.0.0.1]",
        "x" * 65 + "@courriel.example",
        "n@" + "a" * 250 + ".example",
        None,
        7,
        ["nora@courriel.example"],
    ],
)
def test_what_is_no_address_is_refused_at_its_field(service: Any, citizen: UUID, email: Any) -> None:
    answer = service.call(citizen, "PUT", "/profile/email", {"email": email})
    data = problem(answer, 422, "validation_failed")
    assert list(data["errors"]) == ["email"]
    assert service.events(citizen) == []


@pytest.mark.parametrize("token", ["x", "é" * 20, "A" * 64, "../../etc/passwd", "A" * 63 + "="])
def test_a_link_that_we_never_made(service: Any, token: str) -> None:
    problem(service.use(token), 404, "link_unknown")


def test_a_link_that_was_changed_is_not_ours(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    token = service.token(citizen)
    for place in (0, 20, 21, 30, 63):
        letter = "A" if token[place] != "A" else "B"
        problem(service.use(token[:place] + letter + token[place + 1 :]), 404, "link_unknown")
    assert service.profile(citizen)["space"] == "pending"


def test_links_go_to_the_notifier_alone(service: Any, citizen: UUID) -> None:
    give(service, citizen)
    path = _confirmation(service, citizen)
    problem(service.internal(path, client="dossier"), 403, "not_for_you")
    problem(service.internal(f"/confirmations/{uuid4()}"), 404, "not_found")
    headers = {"Authorization": f"Bearer {service.issuer.citizen(citizen)}"}
    assert service.app.test_client().get(f"/internal/v1{path}", headers=headers).status_code == 401


def _confirmation(service: Any, citizen: UUID) -> str:
    return f"/confirmations/{service.events(citizen)[-1][2]['confirmation_id']}"


def _token(service: Any, citizen: UUID) -> str:
    """The token as it stands, also when the API does not give it any more."""
    from profile_service import links, store

    with service.database.session() as session:
        confirmation_id = UUID(service.events(citizen)[-1][2]["confirmation_id"])
        found = store.confirmation(session, confirmation_id)
    assert found is not None
    return links.token(service.settings.confirmation_key, confirmation_id, found[1].expires_at)
