"""A dossier's form: its questions with what was answered and what is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from dossier_service.claims.model import Dossier
from dossier_service.claims.practice import Practice
from dossier_service.procedures.pages import field_view, statement_view, text_or_none

Messages = Mapping[str, Sequence[str]]


def form_view(practice: Practice, dossier: Dossier, errors: Messages, language: str) -> dict[str, Any]:
    """The sections and statements with values, as shown, and errors."""
    values = dossier.values
    sections = []
    for section in practice.procedure.sections:
        fields = []
        for field in section.fields:
            value = values.get(field.key)
            view = field_view(field, practice.choices(field, values), language)
            view["value"] = value
            view["display"] = practice.shown(field, value, values)[language]
            view["visible"] = field.visible(values)
            view["errors"] = list(errors.get(field.key, ()))
            fields.append(view)
        title = section.title[language]
        intro = text_or_none(section.intro, language)
        sections.append({"key": section.key, "title": title, "intro": intro, "fields": fields})
    statements = [
        {
            **statement_view(statement, language),
            "value": values.get(statement.key) is True,
            "errors": list(errors.get(statement.key, ())),
        }
        for statement in practice.procedure.statements
    ]
    return {"sections": sections, "statements": statements}


def declaration_view(practice: Practice, dossier: Dossier, language: str) -> dict[str, Any]:
    """The validated form as its PDF shows it: visible and answered fields, values as people read them."""
    procedure = practice.procedure
    declared = practice.declared(dossier.values)
    sections = [
        {
            "key": section.key,
            "title": section.title[language],
            "rows": [
                {
                    "key": field.key,
                    "label": field.label[language],
                    "value": practice.shown(field, declared[field.key], dossier.values)[language],
                }
                for field in section.fields
                if field.key in declared
            ],
        }
        for section in procedure.sections
    ]
    return {
        "dossier_id": dossier.id,
        "number": dossier.number,
        "procedure": procedure_name(practice, language),
        "title": procedure.title[language],
        "language": language,
        "validated_at": dossier.validated_at,
        "values_sha256": dossier.values_sha256,
        "sections": sections,
        "statements": [
            {
                "key": statement.key,
                "label": statement.label[language],
                "accepted": declared[statement.key],
            }
            for statement in procedure.statements
        ],
    }


def procedure_name(practice: Practice, language: str) -> dict[str, Any]:
    """A procedure's key, version and title."""
    procedure = practice.procedure
    return {"key": procedure.key, "version": procedure.version, "title": procedure.title[language]}
