"""The event contracts hold for themselves: schemas are sound, examples fit, what is released is frozen."""

import hashlib
import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from espace import contracts
from espace.bus import topology

TYPES = sorted(contracts.schemas())
PERSONAL = ("name", "email", "mail", "address", "phone", "national", "birth", "street", "postal")


def validate(schema: dict[str, object], value: object) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


@pytest.mark.parametrize("event_type", TYPES)
def test_a_schema_is_sound_and_its_examples_fit(event_type: str) -> None:
    schema = contracts.schemas()[event_type]
    Draft202012Validator.check_schema(schema)
    examples = contracts.examples(event_type)
    assert examples, f"{event_type} has no example"
    for example in examples:
        validate(contracts.envelope(), example)
        validate(schema, example["data"])
        assert example["type"] == event_type
        assert example["source"] == f"/espace/{schema['x-producer']}"
        assert example["subject"] == example["data"][schema["x-subject"]]


@pytest.mark.parametrize("event_type", TYPES)
def test_no_event_has_a_place_for_personal_data(event_type: str) -> None:
    text = json.dumps(contracts.schemas()[event_type]["properties"]).lower()
    assert [word for word in PERSONAL if word in text] == []


def test_released_examples_are_frozen() -> None:
    lines = (contracts.FOLDER / "frozen.sha256").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = {
        path.relative_to(contracts.FOLDER).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (contracts.FOLDER / "examples").rglob("*.json")
    }
    assert found == listed, "a released example never changes; a new one is added to frozen.sha256"


def test_every_type_is_consumed_or_declared_without_consumer() -> None:
    consumed = frozenset().union(*topology.SUBSCRIPTIONS.values())
    assert consumed | topology.UNCONSUMED == set(TYPES)
    assert not consumed & topology.UNCONSUMED


def test_the_asyncapi_document_is_the_generated_one() -> None:
    written = json.loads((contracts.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    assert written == contracts.asyncapi(), "run python -m espace.contracts"
