"""That something was done once, wherever it leaves a trace; and many doing it at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import httpx

from espace.auth import tls
from espace.testing import until
from espace_stack.layout import BUCKET
from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.mails import mails

Result = TypeVar("Result")
SUBMITTED = "type = 'be.espace.dossier.submitted.v1'"


def at_once(actions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Start all of them at the same moment, each in a thread; what they return."""
    barrier = Barrier(len(actions))

    def start(action: Callable[[], Result]) -> Result:
        barrier.wait(30)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(start, actions))


def submit(
    app: App, origin: str, dossier: Any, key: str, *, timeout: httpx.Timeout | float = 60
) -> httpx.Response:
    """Deposit over a connection of its own."""
    return httpx.post(
        f"{origin}/api/dossier/v1/dossiers/{dossier['id']}/submission",
        json={"content_sha256": dossier["content_sha256"]},
        headers=bearer(app) | {"Idempotency-Key": key},
        timeout=timeout,
        verify=tls.context(origin),
    )


def bearer(app: App) -> dict[str, str]:
    """The header of the citizen's calls."""
    return {"Authorization": f"Bearer {app.tokens['access_token']}"}


def number_of(platform: Platform, dossier_id: str) -> str:
    """The number that the dossier was given, in its only deposit."""
    ((number,),) = platform.rows(
        "dossier", f"select data->>'number' from event_log where {SUBMITTED} and subject = '{dossier_id}'"
    )
    return str(number)


def deposited_once(platform: Platform, app: App, dossier_id: str) -> Any:
    """The dossier: it has one number, one manifest, each piece once, and each of its messages once.

    A request for further information has one deadline with its two reminders, and a message of its own.
    """
    dossier = app.dossier(dossier_id)
    number = number_of(platform, dossier_id)
    requests = dossier["information_requests"]
    wanted = 1 + len(requests)
    until(f"{wanted} messages about {number}", lambda: len(mails(platform, app, number)) >= wanted, 120)
    manifests = f"select written_at from manifests where dossier_id = '{dossier_id}'"
    until("its manifest", lambda: all(at for (at,) in platform.rows("documents", manifests)), 60)
    platform.settle()
    subjects = [message.subject for message in mails(platform, app, number)]
    assert len(subjects) == len(set(subjects)) == wanted, subjects
    assert dossier["number"] == number_of(platform, dossier_id) == number
    assert len(platform.rows("documents", manifests)) == 1
    assert len(objects(platform, f"manifests/{dossier_id}/")) == 1
    for request in requests:
        state = f"select state from deadlines where id = '{request['id']}'"
        assert platform.rows("scheduler", state) == [("kept",)]
        reminders = f"select days_before from reminders where deadline_id = '{request['id']}' order by 1"
        assert platform.rows("scheduler", reminders) == [(1,), (2,)]
    for piece in dossier["attachments"]:
        assert objects(platform, f"documents/{piece['document_id']}") == [f"documents/{piece['document_id']}"]
    return dossier


def objects(platform: Platform, prefix: str = "") -> list[str]:
    """The keys in the bucket."""
    return sorted(
        str(entry.object_name) for entry in platform.store.list_objects(BUCKET, prefix, recursive=True)
    )
