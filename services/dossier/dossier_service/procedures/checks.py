"""Mistakes between the parts of a procedure, each of which is well formed."""

from collections.abc import Iterable, Iterator

from dossier_service.localized import placeholders
from dossier_service.procedures.model import (
    CONSTITUENCY,
    Condition,
    Field,
    FieldType,
    InformationRequestPolicy,
    Procedure,
    Slot,
    Window,
)
from espace.files import EVERY_TYPE, LARGEST

PREFILL_SOURCES = ("identity.", "places.")
CHOICE_SOURCES = ("places.districts",)


def contradictions(procedure: Procedure) -> Iterator[str]:
    """Every mistake, as a sentence that names the place."""
    names = [f.key for f in procedure.fields()] + [s.key for s in procedure.statements]
    names += [slot.key for slot in procedure.slots]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the key {name!r} is used twice"
    for field in procedure.fields():
        yield from _field_contradictions(procedure, field)
    policy = procedure.information_request
    for slot in (*procedure.slots, *([policy.slot] if policy else [])):
        yield from _slot_contradictions(slot)
    if policy:
        yield from _condition_contradictions(procedure, policy.requested_when, "information_request")
        yield from _policy_contradictions(procedure, policy)
        if procedure.slot(policy.slot.key) is not None:
            yield f"information_request.slot: the key {policy.slot.key!r} is a slot of the dossier already"
    wanted = ("draft", "submitted", "processing") if policy else ("draft", "submitted")
    for name in wanted:
        if all(step.key != name for step in procedure.steps):
            yield f"steps: {name!r} is missing"
    yield from _named("unique_by", procedure, procedure.unique_by)
    for language, template in (procedure.subtitle.all() if procedure.subtitle else {}).items():
        yield from _template_contradictions(procedure, f"subtitle.{language}", template)
    if procedure.window:
        yield from _window_contradictions(procedure, procedure.window)


def _named(where: str, procedure: Procedure, names: Iterable[str]) -> Iterator[str]:
    for name in sorted(names):
        if name == CONSTITUENCY:
            if procedure.window is None:
                yield f"{where}: a constituency needs a window that names its election"
        elif procedure.field(name) is None:
            yield f"{where}: there is no field {name!r}"


def _template_contradictions(procedure: Procedure, where: str, template: str) -> Iterator[str]:
    try:
        names = placeholders(template)
    except ValueError as error:
        yield f"{where}: {error}"
    else:
        yield from _named(where, procedure, names)


def _window_contradictions(procedure: Procedure, window: Window) -> Iterator[str]:
    if not window.constituencies:
        yield "window.constituencies: must not be empty"
    for index, locator in enumerate(window.constituencies):
        where = f"window.constituencies[{index}]"
        if bool(locator.commune) == bool(locator.district) or bool(locator.district) != bool(
            locator.province
        ):
            yield f"{where}: names either the field of a commune, or those of a province and a district"
        for name in locator.fields():
            if procedure.field(name) is None:
                yield f"{where}: there is no field {name!r}"
        if locator.when:
            yield from _condition_contradictions(procedure, locator.when, where)


def _policy_contradictions(procedure: Procedure, policy: InformationRequestPolicy) -> Iterator[str]:
    asked = procedure.field(policy.element_field)
    if asked is None:
        yield f"information_request.element_field: there is no field {policy.element_field!r}"
    elif not asked.required or asked.visible_when not in (None, policy.requested_when):
        yield f"information_request.element_field: {asked.key!r} must be required whenever it is requested"
    days = [reminder.days_before for reminder in policy.reminders]
    for count in sorted({count for count in days if days.count(count) > 1}):
        yield f"information_request.reminders: two reminders {count} days before"


def _slot_contradictions(slot: Slot) -> Iterator[str]:
    where = f"slot {slot.key}"
    for media_type in slot.types:
        if media_type not in EVERY_TYPE:
            yield f"{where}: {media_type!r} is none of {', '.join(EVERY_TYPE)}, which documents can verify"
    if slot.max_bytes > LARGEST:
        yield f"{where}: max_bytes is more than documents takes, {LARGEST}"


def _field_contradictions(procedure: Procedure, field: Field) -> Iterator[str]:
    where = f"field {field.key}"
    if field.type is FieldType.CHOICE and bool(field.choices) == bool(field.choices_from):
        yield f"{where}: a choice has either choices or choices_from"
    if field.type is not FieldType.CHOICE and (field.choices or field.choices_from):
        yield f"{where}: only a choice has choices"
    if field.choices_from and field.choices_from not in CHOICE_SOURCES:
        yield f"{where}: choices_from is none of {', '.join(CHOICE_SOURCES)}"
    elif field.choices_from and not (procedure.window and procedure.window.province_of(field.key)):
        yield f"{where}: no constituency of the window names the field as its district"
    if field.type is FieldType.READONLY and not field.prefill:
        yield f"{where}: a read-only field needs a prefill"
    if field.prefill and not field.prefill.startswith(PREFILL_SOURCES):
        yield f"{where}: prefill starts with none of {', '.join(PREFILL_SOURCES)}"
    if field.visible_when:
        yield from _condition_contradictions(procedure, field.visible_when, where)


def _condition_contradictions(procedure: Procedure, condition: Condition, where: str) -> Iterator[str]:
    asked = procedure.field(condition.field)
    if asked is None:
        yield f"{where}: the condition names a field that does not exist, {condition.field!r}"
    elif asked.choices and condition.equals not in {choice.value for choice in asked.choices}:
        yield f"{where}: {condition.equals!r} is no choice of {condition.field}"
