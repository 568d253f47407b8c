"""Setting, moving and withdrawing: twice, late and in any order."""

from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from espace.errors import PermanentError

DUE = "2024-10-25T22:00:00Z"
LATER = "2024-10-28T23:00:00Z"


def test_a_deadline_is_kept_with_its_reminders(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"))
    kept = scheduler.deadline(identity)
    assert (kept["state"], kept["owner"], kept["version"]) == ("kept", "dossier", 1)
    assert scheduler.reminders(identity) == [(1, 1, "waiting", None)]


def test_a_newer_version_moves_it_and_its_reminders(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"))
    scheduler.set(identity, LATER, (1, "2024-10-27T08:00:00Z"), version=2)
    assert scheduler.deadline(identity)["due_at"].isoformat() == "2024-10-28T23:00:00+00:00"
    assert scheduler.reminders(identity) == [(1, 1, "skipped", "moved"), (2, 1, "waiting", None)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_stale_version_is_ignored(scheduler: Any, version: int) -> None:
    identity = uuid4()
    scheduler.set(identity, LATER, version=2)
    scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"), version=version)
    assert scheduler.deadline(identity)["due_at"].isoformat() == "2024-10-28T23:00:00+00:00"
    assert scheduler.reminders(identity) == []


@pytest.mark.parametrize("version", [1, 2], ids=["of the same version", "of the next version"])
def test_a_withdrawal_before_its_setting_leaves_a_tombstone(scheduler: Any, version: int) -> None:
    identity = uuid4()
    scheduler.withdraw(identity, version=version)
    scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"), version=1)
    assert scheduler.deadline(identity)["state"] == "withdrawn"
    assert scheduler.reminders(identity) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_set_move_withdraw_ends_withdrawn(scheduler: Any, order: tuple[int, ...]) -> None:
    identity = uuid4()
    arrivals = [
        lambda: scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"), version=1),
        lambda: scheduler.set(identity, LATER, (1, "2024-10-27T08:00:00Z"), version=2),
        lambda: scheduler.withdraw(identity, version=3),
    ]
    for number in order:
        arrivals[number]()
        arrivals[number]()  # and each of them twice
    found = scheduler.deadline(identity)
    assert (found["state"], found["version"]) == ("withdrawn", 3)
    assert all(state == "skipped" for _, _, state, _ in scheduler.reminders(identity))


def test_a_withdrawal_between_two_settings_is_not_forgotten_when_repeated(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.withdraw(identity, version=2)
    scheduler.withdraw(identity, version=4)
    scheduler.set(identity, DUE, version=3)
    assert scheduler.deadline(identity)["state"] == "withdrawn"


def test_setting_again_after_a_withdrawal_keeps_it_again(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, DUE)
    scheduler.withdraw(identity, version=2)
    scheduler.set(identity, LATER, version=3)
    assert scheduler.deadline(identity)["state"] == "kept"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "x", "due_at": "2024-10-25T22:00:00", "reminders": []},
        {"kind": "x", "due_at": "soon", "reminders": []},
        {"kind": "x", "due_at": DUE},
        {"kind": "x", "due_at": DUE, "reminders": [{"days_before": 1}]},
    ],
    ids=["nothing", "no zone", "no instant", "no reminders", "half a reminder"],
)
def test_what_can_never_be_kept_is_a_permanent_error(scheduler: Any, data: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        scheduler.receive("be.espace.dossier.deadline_set.v1", 1, {"deadline_id": str(uuid4()), **data})
