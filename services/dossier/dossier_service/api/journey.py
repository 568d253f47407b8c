"""Counting citizens' steps towards the deposit, so that it shows where they give up."""

from dossier_service.claims.practice import Desk
from espace.http import principal
from espace.telemetry.metrics import JOURNEY_STEPS, SUBMISSIONS, Step

ACCEPTED = "accepted"


def announce(desk: Desk) -> None:
    """Have the counts exist at zero, so that the first of a kind is seen as a change."""
    for procedure in desk.catalogue.search(""):
        SUBMISSIONS.labels(procedure.key, ACCEPTED)
        for step in Step:
            if step is not Step.CONFIRM_PAGE:  # which is web's
                JOURNEY_STEPS.labels(procedure.key, step)


def count_step(procedure: str, step: Step) -> None:
    """A citizen made a step."""
    if not principal().synthetic:
        JOURNEY_STEPS.labels(procedure, step).inc()


def count_submission(procedure: str, outcome: str) -> None:
    """A citizen's wish to deposit was accepted, or refused with a code."""
    if not principal().synthetic:
        SUBMISSIONS.labels(procedure, outcome).inc()
