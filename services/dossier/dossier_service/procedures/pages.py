"""A procedure as pages show it, without a citizen."""

from typing import Any

from dossier_service.localized import Localized
from dossier_service.procedures.model import Choice, Field, Procedure, Slot, Statement, Step


def procedure_view(procedure: Procedure, language: str) -> dict[str, Any]:
    """Everything the procedure's page shows, in one language."""
    return {
        "key": procedure.key,
        "version": procedure.version,
        "title": procedure.title[language],
        "summary": procedure.summary[language],
        "conditions": [text[language] for text in procedure.conditions],
        "min_level": procedure.min_level,
        "sections": [
            {
                "key": section.key,
                "title": section.title[language],
                "intro": text_or_none(section.intro, language),
                "fields": [field_view(field, field.choices, language) for field in section.fields],
            }
            for section in procedure.sections
        ],
        "statements": [statement_view(statement, language) for statement in procedure.statements],
        "attachments": [slot_view(slot, language) for slot in procedure.slots],
        "steps": [step_view(step, language) for step in procedure.steps],
    }


def field_view(field: Field, choices: tuple[Choice, ...], language: str) -> dict[str, Any]:
    """One question."""
    condition = field.visible_when
    return {
        "key": field.key,
        "type": field.type.value,
        "label": field.label[language],
        "hint": text_or_none(field.hint, language),
        "required": field.required,
        "max_length": field.max_length,
        "multiline": field.multiline,
        "autocomplete": field.autocomplete,
        "visible_when": {"field": condition.field, "equals": condition.equals} if condition else None,
        "choices": [
            {
                "value": choice.value,
                "label": choice.label[language],
                "note": text_or_none(choice.note, language),
            }
            for choice in choices
        ],
    }


def statement_view(statement: Statement, language: str) -> dict[str, Any]:
    """One sworn box."""
    return {"key": statement.key, "label": statement.label[language], "required": True}


def slot_view(slot: Slot, language: str) -> dict[str, Any]:
    """One attachment slot with its limits."""
    return {
        "key": slot.key,
        "title": slot.title[language],
        "hint": text_or_none(slot.hint, language),
        "mandatory": slot.mandatory,
        "types": list(slot.types),
        "max_bytes": slot.max_bytes,
        "max_count": slot.max_count,
    }


def step_view(step: Step, language: str) -> dict[str, Any]:
    """One step with its sub-steps."""
    substeps = [{"key": child.key, "label": child.label[language]} for child in step.substeps]
    return {"key": step.key, "label": step.label[language], "substeps": substeps}


def text_or_none(text: Localized | None, language: str) -> str | None:
    """The text in a language, None when there is none."""
    return text[language] if text else None
