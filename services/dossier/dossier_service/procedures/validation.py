"""Judges the values of a form: every error, at its field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dossier_service.procedures.model import Choice, Field, FieldType, Procedure, Values

Choices = Callable[[Field], tuple[Choice, ...]]
Errors = dict[str, list["Fault"]]

MAX_TYPED = 10_000
_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"\+?[0-9](?:[ ./()-]*[0-9]){7,14}")


@dataclass(frozen=True)
class Fault:
    """What is wrong, as a code with parameters; put in words where it is shown."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def validate(procedure: Procedure, values: Values, choices: Choices) -> Errors:
    """Every error of the visible fields and the statements; an empty mapping means valid.

    Args:
        values: the typed and the prefilled values together.
        choices: gives a field's choices, those from a source included.
    """
    errors: Errors = {}
    for question in procedure.fields():
        if question.visible(values):
            fault = _judge(question, values.get(question.key), choices)
            if fault:
                errors[question.key] = [fault]
    for statement in procedure.statements:
        if values.get(statement.key) is not True:
            errors[statement.key] = [Fault("must_accept")]
    return errors


def declared(procedure: Procedure, values: Values) -> dict[str, Any]:
    """The values that count: visible fields that are answered, trimmed, and the statements."""
    result: dict[str, Any] = {}
    for question in procedure.fields():
        value = trimmed(values.get(question.key))
        if question.visible(values) and value not in (None, ""):
            result[question.key] = value
    for statement in procedure.statements:
        result[statement.key] = values.get(statement.key) is True
    return result


def refuse_patch(procedure: Procedure, patch: Values) -> Errors:
    """What in a change sent by the client cannot even be kept: unknown, read-only or not a value."""
    errors: Errors = {}
    for key, value in patch.items():
        if not procedure.writable(key):
            known = procedure.field(key) is not None
            errors[key] = [Fault("read_only" if known else "unknown_field")]
        elif value is not None and not isinstance(value, str | bool):
            errors[key] = [Fault("not_a_value")]
        elif isinstance(value, str) and not _storable(value):
            errors[key] = [Fault("not_storable", {"max_length": MAX_TYPED})]
    return errors


def _judge(question: Field, raw: Any, choices: Choices) -> Fault | None:
    value = trimmed(raw)
    if question.type is FieldType.CHECKBOX:
        return Fault("must_accept") if question.required and value is not True else None
    if value in (None, "", False):
        code = "not_available" if question.type is FieldType.READONLY else "required"
        return Fault(code) if question.required else None
    if not isinstance(value, str):
        return Fault("not_a_value")
    if question.max_length and len(value) > question.max_length:
        return Fault("too_long", {"max_length": question.max_length, "length": len(value)})
    return _judge_type(question, value, choices)


def _judge_type(question: Field, value: str, choices: Choices) -> Fault | None:
    match question.type:
        case FieldType.EMAIL if len(value) > 254 or not _EMAIL.fullmatch(value):
            return Fault("invalid_email")
        case FieldType.PHONE if not _PHONE.fullmatch(value):
            return Fault("invalid_phone")
        case FieldType.CHOICE if value not in {choice.value for choice in choices(question)}:
            return Fault("invalid_choice")
    return None


def trimmed(value: Any) -> Any:
    """A value without the spaces around it."""
    return value.strip() if isinstance(value, str) else value


def _storable(text: str) -> bool:
    printable = all(character >= " " or character in "\n\r\t" for character in text)
    encodable = not any("\ud800" <= character <= "\udfff" for character in text)
    return printable and encodable and len(text) <= MAX_TYPED
