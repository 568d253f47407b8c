"""What is told of a citizen: to herself and her clients by scope, to the sister services by need."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from identity_service import accounts
from identity_service.tables import CitizenRow
from identity_service.vault import Vault

SCOPED = {
    "profile": ("name", "given_name", "family_name", "birthdate", "locale"),
    "email": ("email",),
    "address": ("address", "commune_ins"),
    "national_number": ("national_number",),
}
# Made once, as every request for a citizen asks.
_SEALED = select(CitizenRow.id, CitizenRow.wrapped_key, CitizenRow.facts).where(
    CitizenRow.id == bindparam("citizen_id")
)


class Profiles:
    """Reads the sealed records."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def userinfo(self, session: Session, citizen_id: UUID, scope: str) -> dict[str, Any]:
        """OpenID claims, as far as the scope goes; what is not known is left out."""
        facts = self.facts(session, citizen_id) or {}
        address = facts.get("address")
        known = {
            "name": " ".join(filter(None, (facts.get("given_name"), facts.get("family_name")))),
            "given_name": facts.get("given_name"),
            "family_name": facts.get("family_name"),
            "birthdate": facts.get("birthdate"),
            "locale": facts.get("language"),
            "email": facts.get("email"),
            "address": address and _openid_address(address),
            "commune_ins": facts.get("commune_ins"),
            "national_number": facts.get("national_number"),
        }
        wanted = [name for part in scope.split() for name in SCOPED.get(part, ())]
        return {"sub": str(citizen_id), **{name: known[name] for name in wanted if known[name]}}

    def language(self, session: Session, citizen_id: UUID) -> str | None:
        """The language she prefers, when a source said so."""
        language: str | None = (self.facts(session, citizen_id) or {}).get("language")
        return language

    def facts(self, session: Session, citizen_id: UUID) -> dict[str, Any] | None:
        """Her opened record; None when there is none (unknown or erased)."""
        citizen = session.execute(_SEALED, {"citizen_id": citizen_id}).one_or_none()
        if citizen is None or citizen.wrapped_key is None:
            return None
        return accounts.facts_of(self._vault, citizen)


def internal(citizen_id: UUID, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the sister services are told of an opened record: never the national number."""
    names = ("given_name", "family_name", "email", "language", "birthdate", "address", "commune_ins")
    return {"citizen_id": str(citizen_id), **{name: facts.get(name) for name in names}}


def _openid_address(address: dict[str, str]) -> dict[str, str]:
    return {
        "street_address": f"{address.get('street', '')} {address.get('number', '')}".strip(),
        "postal_code": address.get("postal_code", ""),
        "locality": address.get("locality", ""),
        "country": address.get("country", "BE"),
    }
