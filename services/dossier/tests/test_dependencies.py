"""What happens while identity or documents is away: said at once, and nothing half done."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OctKey
from sqlalchemy import text

from dossier_service.statements import InvalidStatement, StatementKeys, read_statement
from espace.db import Database
from espace.errors import TransientError

People = Callable[..., Any]


def test_without_identity_no_draft_is_opened_and_the_same_key_works_later(
    citizen: People, register: dict[str, Any]
) -> None:
    lucie = citizen()
    known = register.pop(str(lucie.id))
    body = {"procedure": "reclamation-electorale"}
    refused = lucie.post("/dossiers", body, key="k")
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert lucie.get("/dossiers")["total"] == 0
    register[str(lucie.id)] = known
    assert lucie.post("/dossiers", body, key="k").status_code == 201


def test_a_repeat_gets_its_answer_while_identity_is_away(citizen: People, register: dict[str, Any]) -> None:
    lucie = citizen()
    body = {"procedure": "reclamation-electorale"}
    first = lucie.post("/dossiers", body, key="k")
    register.clear()
    again = lucie.post("/dossiers", body, key="k")
    assert (again.status_code, again.get_json()) == (201, first.get_json())


@pytest.mark.parametrize("step", ["opening", "saving", "validating"])
def test_no_transaction_is_open_while_identity_is_asked(
    citizen: People, register: dict[str, Any], database: Database, step: str
) -> None:
    seen: list[int] = []

    class Watched(dict[str, Any]):
        """What identity knows; reading it counts the transactions that are open meanwhile."""

        def items(self) -> Any:
            with database.session() as session:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                seen.append(session.execute(text(f"{waiting} AND state LIKE 'idle in%'")).scalar_one())
            return super().items()

    lucie = citizen(None, address=None)
    register[str(lucie.id)] = Watched(register[str(lucie.id)])
    dossier_id = lucie.open()["id"]
    if step == "saving":
        lucie.type_in(dossier_id, election="communales")
    if step == "validating":
        assert lucie.post(f"/dossiers/{dossier_id}/validation").status_code == 422
    assert seen == [0] if step == "opening" else [0, 0]


def test_a_deposit_needs_neither_identity_nor_documents(citizen: People, register: dict[str, Any]) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    register.clear()
    assert lucie.submit(dossier).status_code == 201


def test_keys_in_hand_are_used_while_documents_is_away(documents: Any) -> None:
    state = {"away": False}

    def fetch() -> Mapping[str, Any]:
        if state["away"]:
            raise httpx.ConnectError("away")
        return {"keys": [documents.key.as_dict(private=False)]}

    owner, dossier = uuid4(), uuid4()
    statement = documents.statement(owner, str(dossier), "autres")
    keys = StatementKeys(fetch)
    assert read_statement(statement, keys, owner_id=owner, dossier_id=dossier).slot == "autres"
    state["away"] = True
    assert read_statement(statement, keys, owner_id=owner, dossier_id=dossier).size == 48213
    with pytest.raises(TransientError):
        read_statement(statement, StatementKeys(fetch), owner_id=owner, dossier_id=dossier)


def test_a_statement_of_another_algorithm_or_type_is_refused(documents: Any) -> None:
    owner, dossier = uuid4(), uuid4()
    statement = documents.statement(owner, str(dossier), "autres")
    payload = jws.extract_compact(statement.encode()).payload
    secret = OctKey.import_key("0" * 32)
    for header, key, algorithm in (
        ({"alg": "HS256", "typ": "statement+jwt", "kid": "statements-1"}, secret, "HS256"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "statements-1"}, documents.key, "ES256"),
        ({"alg": "ES256", "typ": "statement+jwt", "kid": "unknown"}, documents.key, "ES256"),
        ({"alg": "ES256", "typ": "statement+jwt"}, documents.key, "ES256"),
    ):
        forged = jws.serialize_compact(header, payload, key, algorithms=[algorithm])
        with pytest.raises(InvalidStatement):
            read_statement(forged, documents.keys(), owner_id=owner, dossier_id=dossier)
