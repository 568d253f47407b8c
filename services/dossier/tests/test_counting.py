"""What is counted of citizens' journeys, and the synthetic citizen, who is not."""

from collections.abc import Callable
from typing import Any

from prometheus_client import REGISTRY
from sqlalchemy import text

from dossier_service.claims.synthetic import forget_synthetic
from espace.auth import SYNTHETIC_CLIENT
from espace.db import Database
from espace.telemetry.metrics import Step
from espace.testing import Issuer

People = Callable[..., Any]
QUESTION = "question-administration"
CLAIM = "reclamation-electorale"


def counted(procedure: str) -> dict[str, float]:
    """How often each step was made so far; the page « Vérifiez » is web's to count."""
    made = {"procedure": procedure, "outcome": "accepted"}
    found = {"all": REGISTRY.get_sample_value("espace_submissions_total", made)}
    for step in set(Step) - {Step.CONFIRM_PAGE}:
        labels = {"procedure": procedure, "step": step.value}
        found[step.value] = REGISTRY.get_sample_value("espace_journey_steps_total", labels)
    return {name: count for name, count in found.items() if count is not None}


def ask(person: Any) -> Any:
    """File a question."""
    dossier = person.open(QUESTION)
    person.type_in(dossier["id"], subject="Ouverture", question="Quand le guichet ouvre-t-il ?")
    validated = person.post(f"/dossiers/{dossier['id']}/validation").get_json()
    assert person.submit(validated).status_code == 201
    return validated


def test_each_step_is_counted_once_for_a_dossier_that_goes_straight_on(citizen: People) -> None:
    before = counted(CLAIM)
    lucie = citizen()
    dossier = lucie.ready()
    lucie.attach(dossier["id"], "autres")
    lucie.type_in(dossier["id"], electoral_list="Liste 8")
    assert lucie.post(f"/dossiers/{dossier['id']}/validation").status_code == 200
    assert lucie.submit(lucie.dossier(dossier["id"])).status_code == 201
    after = counted(CLAIM)
    assert {step: after[step] - before[step] for step in before} == {
        "opened": 1,
        "values_saved": 1,
        "validated": 2,  # gone back to, and counted again
        "piece_added": 1,
        "submitted": 1,
        "all": 1,
    }


def test_counts_exist_before_the_first_citizen_comes(citizen: People) -> None:
    assert counted(QUESTION).keys() == {step.value for step in Step if step != Step.CONFIRM_PAGE} | {"all"}


def test_the_synthetic_citizen_is_marked_and_in_no_count(
    citizen: People, issuer: Issuer, events: Callable[[], Any], database: Database
) -> None:
    before = counted(QUESTION)
    robot, lucie = citizen(), citizen()
    robot.token = issuer.citizen(robot.id, client_id=SYNTHETIC_CLIENT)
    ask(robot)
    assert counted(QUESTION) == before
    ask(lucie)
    assert counted(QUESTION)["submitted"] == before["submitted"] + 1
    assert [data.get("synthetic") for _, _, data in events()] == [True, None]
    assert marks(database) == [True, False]


def test_the_synthetic_citizens_dossiers_are_forgotten_after_a_day(
    citizen: People, issuer: Issuer, clock: Any, database: Database
) -> None:
    robot, lucie = citizen(), citizen()
    robot.token = issuer.citizen(robot.id, client_id=SYNTHETIC_CLIENT)
    for person in (robot, lucie):
        ask(person)
    assert not forget_synthetic(database, clock.legal())
    assert marks(database) == [True, False]
    clock.freeze("2024-10-16T09:00:01+02:00")
    assert not forget_synthetic(database, clock.legal())
    assert marks(database) == [False]


def marks(database: Database) -> list[bool]:
    with database.session() as session:
        return list(session.scalars(text("SELECT synthetic FROM dossiers ORDER BY number")))
