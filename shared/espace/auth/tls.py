"""TLS for calls inside: the certificates of the world are read only where an address needs them."""

import ssl


def context(url: str) -> ssl.SSLContext:
    """The context for calls to ``url``; for plain HTTP one that trusts nobody, should it ever be used."""
    if url.startswith("https://"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
