"""For the sister services: what they may know of a citizen."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from espace.http import Blueprint, Problem, Schema, transaction
from identity_service import accounts
from identity_service.context import Context
from identity_service.userinfo import internal


class AddressSchema(Schema):
    """Where a citizen is domiciled, as the register says."""

    street = fields.String()
    number = fields.String()
    postal_code = fields.String()
    locality = fields.String()
    country = fields.String()


class CitizenSchema(Schema):
    """What the sister services may know; never the national number. What is not known is null."""

    citizen_id = fields.UUID(required=True)
    given_name = fields.String(allow_none=True)
    family_name = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    birthdate = fields.String(allow_none=True)
    address = fields.Nested(AddressSchema, allow_none=True)
    commune_ins = fields.String(allow_none=True)


def create(context: Context) -> Blueprint:
    """The blueprint of ``/internal/v1``; a service token for ``identity`` opens it."""
    routes = Blueprint("internal", __name__, service="identity", auth="service", url_prefix="/internal/v1")

    @routes.get("/citizens/<uuid:citizen_id>")
    @routes.alt_response(200, schema=CitizenSchema)
    def citizen(citizen_id: UUID) -> dict[str, Any]:
        """Who a citizen is."""
        with transaction() as unit:
            facts = context.profiles.facts(unit.session, citizen_id)
        if facts is None:
            raise Problem(404, "not_found", "There is no such citizen.")
        if facts.get("address") is None and facts.get("national_number"):
            # The register did not answer when she logged in: ask it again now that somebody needs it.
            record = context.register.look_up(facts["national_number"])
            if record:
                with transaction() as unit:
                    accounts.learn(unit.session, context.vault, citizen_id, record)
                    facts = context.profiles.facts(unit.session, citizen_id) or facts
        return internal(citizen_id, facts)

    return routes
