"""A deposit: documents are marked and a sealed manifest with every hash is in the store."""

import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pika
import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from documents_service.commands.deposit import SUBMITTED, handlers, keep_deposit, write_manifest
from documents_service.model.document import Document
from documents_service.tables import Manifest
from documents_service.watching import watching
from documents_service.worker import create_loops
from espace.bus import topology
from espace.bus.consumer import declare
from espace.bus.event import Event, decode, encode, envelope, routing_key
from espace.contracts import examples
from espace.objects import ObjectMissing
from espace.telemetry import caused_by
from espace.testing import until
from espace.worker import Stop
from services.documents.tests import samples
from services.documents.tests.conftest import Service


def deposit(service: Service, *document_ids: str) -> Event:
    with service.database.session() as session:
        documents = [session.get_one(Document, uuid.UUID(found)) for found in document_ids]
    return Event(
        type=SUBMITTED,
        subject=str(service.dossier),
        version=1,
        data={
            **examples(SUBMITTED)[0]["data"],
            "dossier_id": str(service.dossier),
            "citizen_id": str(service.citizen),
            "documents": [
                {
                    "document_id": str(document.id),
                    "slot": document.slot,
                    "sha256": document.sha256,
                    "size": document.size,
                }
                for document in documents
            ],
        },
    )


def look(service: Service) -> None:
    with service.database.session() as session:
        watching(None)(session)


def handle(service: Service, event: Event) -> None:
    with service.database.transaction() as unit:
        keep_deposit(service.desk.signer, unit, decode(encode(envelope(event, service="dossier"))))


def manifest(service: Service, event: Event) -> dict[str, Any]:
    key = f"manifests/{service.dossier}/{event.id}.json"
    written: dict[str, Any] = json.loads(b"".join(service.desk.store.stream(key)))
    return written


def verified(service: Service, content: bytes) -> str:
    document_id = service.upload(content, slot="autres")
    assert service.complete(document_id).status_code == 200
    return document_id


def test_manifest_lists_every_hash_and_its_seal_holds(service: Service) -> None:
    ids = [verified(service, samples.pdf("un")), verified(service, samples.png())]
    event = deposit(service, *ids)
    handle(service, event)
    assert not write_manifest(service.desk)
    written = manifest(service, event)
    keys = KeySet.import_key_set(service.desk.signer.jwks())
    sealed = jws.deserialize_compact(written["seal"], keys, algorithms=["ES256"])
    assert json.loads(sealed.payload) == written["manifest"]
    assert [entry["document_id"] for entry in written["manifest"]["documents"]] == ids
    assert all(entry["held"] for entry in written["manifest"]["documents"])
    assert written["manifest"]["content_sha256"] == event.data["content_sha256"]
    assert "citizen_id" not in written["manifest"]
    with service.database.session() as session:
        assert all(session.get_one(Document, uuid.UUID(found)).deposited_at for found in ids)


def test_content_hash_can_be_computed_again_from_the_manifest(service: Service) -> None:
    """By whoever has the sealed file and nothing else."""
    (event,) = [
        decode(json.dumps(found)) for found in examples(SUBMITTED) if "values_sha256" in found["data"]
    ]
    with service.database.transaction() as unit:
        keep_deposit(service.desk.signer, unit, event)
    write_manifest(service.desk)
    key = f"manifests/{event.data['dossier_id']}/{event.id}.json"
    written = json.loads(b"".join(service.desk.store.stream(key)))["manifest"]
    pieces = [
        {name: entry[name] for name in ("document_id", "sha256", "size", "slot")}
        for entry in written["documents"]
    ]
    pieces.sort(key=lambda piece: (piece["slot"], piece["document_id"]))
    content = {"pieces": pieces, "values": written["values_sha256"]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == written["content_sha256"]


def test_manifest_is_written_under_the_request_that_deposited(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    event = deposit(service)
    with caused_by("the-deposit-0001"):
        handle(service, event)
    write_manifest(service.desk)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "deposit.sealed" in line]
    assert "the-deposit-0001" in line


def test_same_deposit_told_twice_gives_one_manifest(service: Service) -> None:
    event = deposit(service, verified(service, samples.pdf()))
    handle(service, event)
    handle(service, event)
    write_manifest(service.desk)
    before = manifest(service, event)
    assert not write_manifest(service.desk)
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM manifests")).scalar_one() == 1
    assert manifest(service, event) == before


def test_every_manifest_that_waits_is_told(service: Service) -> None:
    for _ in range(4):
        handle(service, deposit(service))
    look(service)
    assert REGISTRY.get_sample_value("espace_loop_backlog", {"loop": "manifest"}) == 4
    assert (REGISTRY.get_sample_value("espace_loop_oldest_age_seconds", {"loop": "manifest"}) or 0) > 0
    while write_manifest(service.desk):
        pass
    look(service)
    assert REGISTRY.get_sample_value("espace_loop_backlog", {"loop": "manifest"}) == 0
    assert REGISTRY.get_sample_value("espace_loop_oldest_age_seconds", {"loop": "manifest"}) == 0


def test_document_that_is_not_held_as_told_is_marked(service: Service) -> None:
    event = deposit(service, verified(service, samples.pdf()))
    event.data["documents"][0]["sha256"] = "0" * 64
    handle(service, event)
    write_manifest(service.desk)
    assert manifest(service, event)["manifest"]["documents"][0]["held"] is False


@pytest.mark.parametrize("event_type", sorted(topology.SUBSCRIPTIONS["documents"]))
def test_frozen_examples_are_understood(service: Service, event_type: str) -> None:
    for example in examples(event_type):
        with service.database.transaction() as unit:
            handlers(service.desk.signer)[event_type](unit, decode(json.dumps(example)))
    while write_manifest(service.desk):
        pass


def test_store_away_leaves_the_manifest_for_later(service: Service) -> None:
    event = deposit(service, verified(service, samples.pdf()))
    handle(service, event)
    from espace.objects import ObjectStoreDown

    with pytest.raises(ObjectStoreDown):
        write_manifest(service.with_settings(objects_url="http://127.0.0.1:9").desk)
    write_manifest(service.desk)
    assert manifest(service, event)


@pytest.fixture
def working(make_service: Callable[..., Service], amqp_url: str) -> Iterator[Service]:
    """A service whose worker's loops run on the real broker."""
    service = make_service(amqp_url=amqp_url, idle_seconds=0.05)
    stop = Stop()
    threads = [
        threading.Thread(target=loop.run, args=(stop,), name=loop.name)
        for loop in create_loops(service.settings, service.database)
    ]
    for thread in threads:
        thread.start()
    yield service
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), thread.name


@pytest.mark.asynchronous
def test_deposit_told_on_the_bus_is_sealed_and_the_scan_is_told(working: Service, amqp_url: str) -> None:
    document_id = verified(working, samples.pdf())
    event = deposit(working, document_id)
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        declare(channel)
        channel.confirm_delivery()
        for _ in range(2):
            channel.basic_publish(
                topology.EVENTS, routing_key(event.type), encode(envelope(event, service="dossier"))
            )
        until("the manifest", lambda: _written(working, event))
        until("all is published", lambda: _outbox(working) == 0)
    assert manifest(working, event)["manifest"]["documents"][0]["held"]


def _written(service: Service, event: Event) -> bool:
    try:
        return bool(manifest(service, event))
    except ObjectMissing:
        return False


def _outbox(service: Service) -> int:
    with service.database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM outbox")).scalar_one())


def test_the_synthetic_citizens_deposits_leave_nothing_in_the_store(service: Service) -> None:
    event = deposit(service)
    handle(service, replace(event, data={**event.data, "synthetic": True}))
    with service.database.session() as session:
        assert session.scalars(select(Manifest)).all() == []
