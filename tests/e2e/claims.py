"""What a candidate types into the claim, and what makes it ready to deposit."""

from typing import Any

from tests.e2e.app import App

PROCEDURE = "reclamation-electorale"
COMPLETE: dict[str, Any] = {
    "phone": "+32 470 12 34 56",
    "election": "communales",
    "electoral_list": "Liste 7",
    "completeness": "complete",
    "sworn_candidate": True,
    "sworn_truth": True,
}
WITH_DRC = COMPLETE | {"completeness": "drc", "missing_pieces": "Procès-verbal du bureau 12"}


def ready_claim(app: App, values: dict[str, Any] | None = None) -> Any:
    """A validated claim with its signed piece, one submission away from the deposit."""
    draft = app.draft(PROCEDURE, values or COMPLETE)
    return app.attach(draft["id"])
