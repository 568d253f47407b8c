"""Forms come from our own pages: an origin check, and a token bound to the session (or to the visit).

A visitor who is not signed in has a random ``__Host-visite`` cookie and no row; its token is a signature
of that cookie. Both checks must pass, so that neither an old browser nor a stolen page is enough.
"""

import secrets

from flask import Request

from espace_web.vault import Vault

FIELD = "jeton"
HEADER = "X-Jeton"
VISIT_COOKIE = "__Host-visite"
PURPOSE = "csrf"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def new_visit() -> str:
    """The value of a visitor's cookie."""
    return secrets.token_urlsafe(24)


def token_for(vault: Vault, holder: str) -> str:
    """The form token of a session's or a visit's cookie value."""
    return vault.sign(PURPOSE, holder)


def same_origin(request: Request, public_url: str) -> bool:
    """Whether the browser says that the request comes from one of our pages."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin == public_url or (origin == "null" and site == "same-origin")


def token_holds(request: Request, vault: Vault, holders: list[str]) -> bool:
    """Whether the form's token belongs to one of the cookies this browser holds."""
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    return any(vault.signed(PURPOSE, holder, given) for holder in holders)
