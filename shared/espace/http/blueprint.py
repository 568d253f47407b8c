"""Blueprints that say who may call them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flask_smorest import Blueprint as SmorestBlueprint

from espace.http.access import Auth
from espace.http.schema import Parser

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A group of routes with one kind of authentication.

    Args:
        service: short name of the service, e.g. ``dossier``.
        auth: ``citizen`` or ``service`` (an access token of that kind), ``public`` or ``inside``.
        documented: whether it is in the OpenAPI document, with the token it asks for.
    """

    ARGUMENTS_PARSER = Parser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        service: str,
        auth: Auth,
        documented: bool = True,
        **options: Any,
    ) -> None:
        self.service, self.auth, self.documented = service, auth, documented
        if auth in ("service", "inside"):
            options.setdefault("description", "For the other services; the gateway has no way here.")
        super().__init__(name, import_name, **options)
        self._prepare_doc_cbks.append(self._prepare_security)

    def _prepare_security(self, operation: dict[str, Any], _facts: object, **_: object) -> dict[str, Any]:
        """The library's hook: which token opens the operation."""
        operation["security"] = [{self.auth: []}] if self.auth in ("citizen", "service") else []
        return operation

    if TYPE_CHECKING:  # the library's decorators have no types

        def route(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view."""

        def get(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view for GET."""

        def post(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view for POST."""

        def put(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view for PUT."""

        def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view for PATCH."""

        def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
            """Register a view for DELETE."""

        def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
            """Read input by a schema."""

        def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
            """Write output by a schema."""

        def alt_response(
            self, status_code: int, response: Any = None, **options: Any
        ) -> Callable[[View], View]:
            """Document another answer."""

        def doc(self, **options: Any) -> Callable[[View], View]:
            """Document an operation by hand."""
