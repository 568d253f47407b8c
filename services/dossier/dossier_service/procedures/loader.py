"""Reads the data files strictly: a wrong file is refused with every mistake and where it stands."""

from collections.abc import Callable
from datetime import time
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

import yaml

from dossier_service.localized import LANGUAGES, Localized
from dossier_service.procedures.checks import contradictions
from dossier_service.procedures.model import (
    Choice,
    Condition,
    Field,
    FieldType,
    InformationRequestPolicy,
    Locator,
    Procedure,
    Reminder,
    Section,
    Slot,
    Statement,
    Step,
    Switches,
    Window,
)
from dossier_service.procedures.node import Node, ProcedureFileError
from espace.calendar import Rule

T = TypeVar("T")


def load_all(folder: Traversable | None = None) -> tuple[Procedure, ...]:
    """Every procedure of the folder (the package's own by default), checked one against another.

    Raises:
        ProcedureFileError: every mistake of the first wrong file, or two files for one version.
    """
    folder = folder or files("dossier_service.procedures") / "data"
    procedures: dict[tuple[str, int], Procedure] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        procedure = load(file.read_text(encoding="utf-8"), file.name)
        name = (procedure.key, procedure.version)
        if name in procedures:
            raise ProcedureFileError(file.name, [f"version {name[1]} of {name[0]} exists in another file"])
        procedures[name] = procedure
    return tuple(procedures.values())


def load(text: str, name: str) -> Procedure:
    """One procedure from the text of its file.

    Raises:
        ProcedureFileError: with every mistake, as ``sections[1].fields[0].type: …``.
    """
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ProcedureFileError(name, [f"not YAML: {error}"]) from error
    problems: list[str] = []
    root = Node(data, "", problems)
    procedure = _procedure(root)
    if procedure is not None and not problems:
        problems.extend(contradictions(procedure))
    if problems or procedure is None:
        raise ProcedureFileError(name, problems)
    return procedure


def _procedure(node: Node) -> Procedure | None:
    with node:
        return Procedure(
            key=node.key(),
            version=node.integer("version", minimum=1),
            title=_text(node, "title"),
            summary=_text(node, "summary"),
            keywords=_text(node, "keywords"),
            min_level=node.integer("min_level", minimum=0),
            subtitle=_optional_text(node, "subtitle"),
            conditions=tuple(_localized(child) for child in node.children("conditions", required=False)),
            unique_by=tuple(node.strings("unique_by")),
            window=node.optional("window", _window),
            information_request=node.optional("information_request", _information_request),
            sections=_each(node, "sections", _section),
            statements=_each(node, "statements", _statement),
            slots=_each(node, "slots", _slot),
            steps=_each(node, "steps", _step),
            switches=node.optional("switches", _switches) or Switches(),
        )
    return None


def _each(node: Node, name: str, build: Callable[[Node], T | None], required: bool = True) -> tuple[T, ...]:
    built = (build(child) for child in node.children(name, required=required))
    return tuple(item for item in built if item is not None)


def _text(node: Node, name: str) -> Localized:
    return _localized(node.child(name))


def _localized(node: Node) -> Localized:
    with node:
        return Localized(*(node.string(language) for language in LANGUAGES))
    return Localized.same("")


def _optional_text(node: Node, name: str) -> Localized | None:
    return node.optional(name, _localized)


def _section(node: Node) -> Section | None:
    with node:
        return Section(
            key=node.key(),
            title=_text(node, "title"),
            intro=_optional_text(node, "intro"),
            fields=_each(node, "fields", _field),
        )
    return None


def _field(node: Node) -> Field | None:
    with node:
        return Field(
            key=node.key(),
            type=FieldType(node.one_of("type", tuple(FieldType))),
            label=_text(node, "label"),
            hint=_optional_text(node, "hint"),
            required=node.boolean("required", default=False),
            max_length=node.optional_integer("max_length", minimum=1),
            multiline=node.boolean("multiline", default=False),
            autocomplete=node.optional_string("autocomplete"),
            prefill=node.optional_string("prefill"),
            choices=_each(node, "choices", _choice, required=False),
            choices_from=node.optional_string("choices_from"),
            visible_when=node.optional("visible_when", _condition),
        )
    return None


def _choice(node: Node) -> Choice | None:
    with node:
        return Choice(node.string("value"), _text(node, "label"), _optional_text(node, "note"))
    return None


def _condition(node: Node) -> Condition | None:
    with node:
        return Condition(node.string("field"), node.scalar("equals"))
    return None


def _statement(node: Node) -> Statement | None:
    with node:
        return Statement(node.key(), _text(node, "label"))
    return None


def _slot(node: Node) -> Slot | None:
    with node:
        return Slot(
            key=node.key(),
            title=_text(node, "title"),
            hint=_optional_text(node, "hint"),
            mandatory=node.boolean("mandatory", default=False),
            types=tuple(node.strings("types", required=True)),
            max_bytes=node.integer("max_bytes", minimum=1),
            max_count=node.integer("max_count", minimum=1),
        )
    return None


def _step(node: Node) -> Step | None:
    with node:
        return Step(node.key(), _text(node, "label"), _each(node, "substeps", _step, required=False))
    return None


def _window(node: Node) -> Window | None:
    with node:
        starts = node.one_of("starts", ("official_report",))
        constituencies = _each(node, "constituencies", _locator)
        return Window(node.string("election"), starts, _rule(node.child("rule")), constituencies)
    return None


def _locator(node: Node) -> Locator | None:
    with node:
        return Locator(
            commune=node.optional_string("commune"),
            province=node.optional_string("province"),
            district=node.optional_string("district"),
            when=node.optional("when", _condition),
        )
    return None


def _information_request(node: Node) -> InformationRequestPolicy | None:
    with node:
        requested_when = _condition(node.child("requested_when"))
        slot = _slot(node.child("slot"))
        policy = (node.string("element_field"), _rule(node.child("rule")))
        reminders = _each(node, "reminders", _reminder, required=False)
        if requested_when and slot:
            return InformationRequestPolicy(requested_when, policy[0], policy[1], slot, reminders)
    return None


def _reminder(node: Node) -> Reminder | None:
    with node:
        days = node.integer("days_before", minimum=0)
        try:
            return Reminder(days, time.fromisoformat(node.string("at")))
        except ValueError:
            node.problem("at", 'is not a time of the day as "09:00"')
    return None


def _rule(node: Node) -> Rule:
    data = node.mapping()
    try:
        return Rule.from_data(data)
    except (ValueError, TypeError, KeyError) as error:
        node.problem("", f"is not a deadline rule: {error}")
        return Rule(count=1, unit="calendar_days")


def _switches(node: Node) -> Switches | None:
    with node:
        return Switches(
            outage=node.one_of("outage", ("none",)),
            signed_claim_required_at_deposit=node.boolean("signed_claim_required_at_deposit", default=True),
        )
    return None
