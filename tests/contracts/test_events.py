"""The event contracts hold for themselves: schemas are sound, examples fit, what is released is frozen."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from espace import contracts
from espace.bus import topology

TYPES = sorted(contracts.schemas())
WORDS = {"description", "title"}
ASYNCAPI = (
    Path(__file__).parent / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
)
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


def test_what_is_released_is_listed_with_its_hash() -> None:
    """A schema may grow: its new hash in the list says that somebody meant it."""
    found = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in released().items()}
    assert found == listed(), "a released example never changes; what is new is added to frozen.sha256"


def test_a_released_example_is_what_it_was_in_every_commit() -> None:
    """Where there is no history at all (no git), the list of hashes above is what is left; a shallow clone
    knows its oldest commit.
    """
    now = {name: path.read_bytes() for name, path in released().items()}
    changed = {name for name, content in history("examples") if now.get(name) != content}
    assert changed == set(), "was released, and is changed or gone"


def test_a_schema_only_grows() -> None:
    """What was once allowed or promised stays so: members keep their schema, what is required stays it."""
    for name, content in history("events", "envelope.schema.json"):
        now = json.loads(released()[name].read_text("utf-8"))
        assert shrunk(json.loads(content), now) == [], name


def test_the_history_is_read() -> None:
    """Else the two tests above would hold for nothing."""
    assert (_git("rev-parse", "HEAD") is None) == (history("examples") == [])


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ({"type": "object"}, {"type": "object", "description": "new words"}, []),
        ({"properties": {}}, {"properties": {"new": {"type": "string"}}}, []),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {}}, ["/properties/a"]),
        (
            {"properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"type": "integer"}}},
            ["/properties/a/type"],
        ),
        ({"properties": {"a": {}}}, {"properties": {"a": {"enum": ["x"]}}}, ["/properties/a/enum"]),
        ({"required": ["a", "b"]}, {"required": ["a"]}, ["/required"]),
        ({"required": ["a"]}, {"required": ["a", "b"]}, ["/required"]),
    ],
)
def test_shrinking_is_noticed(then: Any, now: Any, found: list[str]) -> None:
    assert shrunk(then, now) == found


def released() -> dict[str, Path]:
    """Schemas and examples by their name below the contracts' folder."""
    folder = contracts.FOLDER
    files = [
        folder / "envelope.schema.json",
        *folder.glob("events/*.json"),
        *folder.glob("examples/*/*.json"),
    ]
    return {path.relative_to(folder).as_posix(): path for path in files}


def listed() -> dict[str, str]:
    """Name → hash, as they were released."""
    lines = (contracts.FOLDER / "frozen.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def history(*below: str) -> list[tuple[str, bytes]]:
    """(name, content) of every committed version; nothing where there is no git."""
    told = _git("log", "--format=%H", "--name-only", "--relative", "--", *below) or b""
    found = []
    commit = ""
    for line in filter(None, told.decode().splitlines()):
        if re.fullmatch("[0-9a-f]{40}", line):
            commit = line
        elif (content := _git("show", f"{commit}:./{line}")) is not None:  # None: it was removed there
            found.append((line, content))
    return found


def shrunk(then: Any, now: Any, at: str = "") -> list[str]:
    """Where a schema says less, or asks more, than it did."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return [] if then == now else [at]
    places = [
        place
        for key, value in then.items()
        if key not in WORDS
        for place in (shrunk(value, now[key], f"{at}/{key}") if key in now else [f"{at}/{key}"])
    ]
    if not at.endswith("/properties"):
        places += [f"{at}/{key}" for key in now.keys() - then.keys() - WORDS]
    return places


def _git(*arguments: str) -> bytes | None:
    done = subprocess.run(
        ["git", *arguments], cwd=contracts.FOLDER, capture_output=True, check=False, timeout=60
    )
    return done.stdout if done.returncode == 0 else None


def test_every_type_is_consumed_or_declared_without_consumer() -> None:
    consumed = frozenset().union(*topology.SUBSCRIPTIONS.values())
    assert consumed | topology.UNCONSUMED == set(TYPES)
    assert not consumed & topology.UNCONSUMED


def test_the_asyncapi_document_is_the_generated_one() -> None:
    written = json.loads((contracts.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    assert written == contracts.asyncapi(), "run python -m espace.contracts"


def test_the_asyncapi_document_is_one() -> None:
    """By the JSON Schema of AsyncAPI itself, which the set-up of the tests brings."""
    judge = Draft7Validator(json.loads(ASYNCAPI.read_text(encoding="utf-8")))
    assert [error.json_path for error in judge.iter_errors(contracts.asyncapi())] == []
    broken = contracts.asyncapi()
    broken["info"].pop("version")
    assert [error.json_path for error in judge.iter_errors(broken)] == ["$.info"]


@pytest.mark.parametrize("event_type", TYPES)
def test_the_asyncapi_document_describes_each_event_as_it_travels(event_type: str) -> None:
    name = event_type.removeprefix(contracts.PREFIX).replace(".", "_")
    document = contracts.asyncapi()
    registry = Registry().with_resource("urn:asyncapi", DRAFT202012.create_resource(document))
    payload = {"$ref": f"urn:asyncapi#/components/messages/{name}/payload/schema"}
    judge = Draft202012Validator(payload, registry=registry, format_checker=FormatChecker())
    for example in contracts.examples(event_type):
        judge.validate(example)
        for wrong in ({**example, "type": "another"}, {**example, "data": {}}, {**example, "id": 7}):
            assert not judge.is_valid(wrong)
    senders = [key for key in document["operations"] if key.endswith(f"_publishes_{name}")]
    assert senders == [f"{contracts.schemas()[event_type]['x-producer']}_publishes_{name}"]
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]
