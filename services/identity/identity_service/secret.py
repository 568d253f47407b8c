"""Secrets that travel in cookies, codes and tokens: random, and kept only as hashes."""

import hashlib
import hmac
import secrets


def fresh() -> str:
    """256 random bits, fit for URLs."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """What is stored of a secret; it has enough entropy for a plain hash."""
    return hashlib.sha256(secret.encode()).digest()


def form_token(cookie: str, purpose: str) -> str:
    """The token of one form, bound to the browser's cookie and to what the form does."""
    return hmac.new(cookie.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def form_token_holds(cookie: str, purpose: str, given: str) -> bool:
    """Whether a form came from a page we gave to this browser."""
    return bool(cookie) and hmac.compare_digest(form_token(cookie, purpose).encode(), given.encode())
