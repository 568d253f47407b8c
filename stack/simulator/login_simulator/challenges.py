"""Codes that the real login would send by SMS or e-mail, or that an application would show."""

import secrets
from dataclasses import dataclass
from threading import Lock

from login_simulator.clock import epoch

LIFETIME_SECONDS = 600
TRIES = 5


@dataclass
class Challenge:
    """One code for one citizen and means; good once, for ten minutes and five tries."""

    username: str
    means_id: str
    code: str
    expires_at: int
    tries_left: int = TRIES


class Challenges:
    """The codes that wait to be typed."""

    def __init__(self) -> None:
        self._waiting: dict[str, Challenge] = {}
        self._lock = Lock()

    def open(self, username: str, means_id: str) -> tuple[str, str]:
        """Make a code; returns the challenge's id and the code."""
        challenge = Challenge(
            username, means_id, f"{secrets.randbelow(10**6):06d}", epoch() + LIFETIME_SECONDS
        )
        name = secrets.token_urlsafe(24)
        with self._lock:
            now = epoch()
            self._waiting = {k: c for k, c in self._waiting.items() if c.expires_at > now}
            self._waiting[name] = challenge
        return name, challenge.code

    def shown(self, name: str) -> Challenge | None:
        """The challenge, if it can still be answered."""
        challenge = self._waiting.get(name)
        return challenge if challenge and challenge.expires_at > epoch() and challenge.tries_left else None

    def answer(self, name: str, means_id: str, code: str) -> str | None:
        """The user name when the code is right; a right answer uses the challenge up."""
        with self._lock:
            challenge = self.shown(name)
            if challenge is None or challenge.means_id != means_id:
                return None
            challenge.tries_left -= 1
            if not secrets.compare_digest(challenge.code.encode(), code.strip().encode()):
                return None
            del self._waiting[name]
            return challenge.username
