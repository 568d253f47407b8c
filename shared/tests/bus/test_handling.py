"""What one delivery leads to, without a broker."""

import json
import threading
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast

import pytest

from espace.bus import dead_letters
from espace.bus.handling import Delivery, Handling, Parked
from espace.contracts import examples
from espace.db import Database

EVENT = examples("be.espace.dossier.submitted.v1")[0]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        json.dumps({**EVENT, "aggregateversion": float("inf")}).encode(),
        json.dumps({**EVENT, "requestid": {"not": "a word"}}).encode(),
        json.dumps({**EVENT, "traceparent": 7}).encode(),
    ],
    ids=["deep", "endless", "request id", "traceparent"],
)
def test_no_body_at_all_makes_it_raise(body: bytes) -> None:
    handling = Handling({}, cast(Database, None), 60)
    outcome = handling.handle(Delivery(1, SimpleNamespace(headers={}), body), threading.Event())
    assert isinstance(outcome, Parked)
    assert outcome.reason == "malformed"


class _Refilled:
    """A dead-letter queue of two whose letters come back as soon as they are replayed."""

    def queue_declare(self, _queue: str, *, passive: bool) -> Any:
        assert passive
        return SimpleNamespace(method=SimpleNamespace(message_count=2))

    def basic_get(self, _queue: str) -> tuple[Any, Any, bytes]:
        return SimpleNamespace(delivery_tag=1), SimpleNamespace(headers={}), b"{}"


def test_a_letter_that_comes_back_at_once_is_replayed_once() -> None:
    found = list(islice(dead_letters._all(cast(Any, _Refilled()), "dossier"), 5))
    assert len(found) == 2
