"""Secrets are changed as docs/operations/rotate-secrets.md says, while citizens file: nothing is lost."""

import json
import secrets
import threading
from base64 import urlsafe_b64decode
from uuid import uuid4

import psycopg
import pytest

from espace.testing import until
from espace_stack.keys import rsa_pem
from espace_stack.testing.platform import Platform
from tests.e2e.app import AWAY, App
from tests.e2e.claims import ready_question
from tests.e2e.once import deposited_once


def deposits_until(stop: threading.Event, app: App, done: list[str], failed: list[str]) -> None:
    """One question after the other, each repeated with its key until there is an answer to keep."""
    while not stop.is_set():
        try:
            dossier = ready_question(app)
        except AssertionError as error:
            if not any(f'"status": {status}' in str(error) for status in AWAY):
                failed.append(str(error))
            continue
        key, answer = str(uuid4()), None
        while answer is None or answer.status_code in AWAY:
            answer = app.submit(dossier, key)
        (done if answer.status_code == 201 else failed).append(dossier["id"])


def change_password(platform: Platform, service: str) -> None:
    """At the server and where secrets are kept."""
    password = secrets.token_hex(24)
    with psycopg.connect(platform.stack.addresses.postgres.replace("+psycopg", "")) as connection:
        connection.execute(f"ALTER ROLE {service} PASSWORD '{password}'".encode())
    platform.stack.secrets.keep(f"database-{service}", password)


def kid(app: App) -> str:
    """Which key signed the citizen's token."""
    head = app.tokens["access_token"].partition(".")[0]
    return str(json.loads(urlsafe_b64decode(head + "=="))["kid"])


@pytest.mark.asynchronous
def test_a_database_password_is_changed_while_citizens_file(platform: Platform, candidate: App) -> None:
    stop, done, failed = threading.Event(), list[str](), list[str]()
    filing = threading.Thread(target=deposits_until, args=(stop, candidate, done, failed))
    filing.start()
    try:
        until("the first deposits", lambda: len(done) >= 2)
        change_password(platform, "dossier")
        old = platform.stack.secrets.value("dossier-database-url")
        platform.part("dossier-api").restart()
        platform.part("dossier-worker").restart()
        after = len(done)
        until("deposits with the new one", lambda: len(done) >= after + 2)
    finally:
        stop.set()
        filing.join(90)
    assert failed == []
    assert platform.stack.secrets.value("dossier-database-url") != old
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old.replace("+psycopg", ""))
    for dossier_id in done:
        deposited_once(platform, candidate, dossier_id)


def test_the_signing_key_is_changed_and_nobody_logs_in_again(platform: Platform, candidate: App) -> None:
    file = platform.stack.secrets.file("signing-keys", rsa_pem)
    before, old = kid(candidate), file.read_text()
    new = rsa_pem()
    platform.stack.secrets.keep("signing-keys", old + new)
    platform.part("identity-api").restart()
    assert candidate.get("dossier/v1/dossiers") is not None
    platform.stack.secrets.keep("signing-keys", new + old)
    platform.part("identity-api").restart()
    assert candidate.get("dossier/v1/dossiers") is not None, "a token of the old key is taken"
    candidate.refresh()
    assert kid(candidate) != before
    assert candidate.get("dossier/v1/dossiers") is not None, "and one of the new key"
    platform.stack.secrets.keep("signing-keys", new)
    platform.part("identity-api").restart()
    candidate.refresh()
    assert candidate.get("dossier/v1/dossiers") is not None
