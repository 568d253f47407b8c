"""Who calls: access tokens of identity, verified here, and the tokens we ask for to call others."""

from espace.auth.keys import JwksCache, KeySource, StaticKeys
from espace.auth.principal import SYNTHETIC_CLIENT, Principal
from espace.auth.service_tokens import ServiceTokens
from espace.auth.tokens import InvalidToken, TokenVerifier

__all__ = [
    "SYNTHETIC_CLIENT",
    "InvalidToken",
    "JwksCache",
    "KeySource",
    "Principal",
    "ServiceTokens",
    "StaticKeys",
    "TokenVerifier",
]
