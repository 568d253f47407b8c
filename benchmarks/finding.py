"""One line of the table: what was measured, against what, and whether it is enough."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["met", "missed", "RED", "reported"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A measured number.

    Attributes:
        what: said to a reader, with its unit.
        ours: the number.
        peer, peer_name: the same of someone else in the same run; then the ratio is what counts.
        goal: of the ratio if there is a peer, of our number otherwise; None: it is only reported.
        at_most: the goal is not to be exceeded; otherwise it is to be reached.
        why: what stands in the way, or how it was measured.
    """

    what: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    goal: float | None = None
    at_most: bool = False
    why: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return None if self.peer is None else self.ours / self.peer

    @property
    def reached(self) -> float | None:
        """How much of the goal is reached; 1 and more is enough."""
        judged = self.ours if self.ratio is None else self.ratio
        if self.goal is None:
            return None
        if self.at_most:
            return self.goal / judged if judged else float("inf")
        return judged / self.goal

    @property
    def verdict(self) -> Verdict:
        """A ratio that is missed is red: it does not depend on the machine. Other numbers are only missed."""
        if self.reached is None:
            return "reported"
        if self.reached >= 1:
            return "met"
        return "missed" if self.ratio is None else "RED"

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Finding":
        """From what :meth:`data` gave."""
        return cls(**data)

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def number(value: float | None) -> str:
    """Three digits that count, thousands apart."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
