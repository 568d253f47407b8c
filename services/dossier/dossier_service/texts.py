"""The service's own texts, by language."""

from functools import cache
from pathlib import Path

from dossier_service.localized import Localized
from dossier_service.procedures.model import FieldType, Procedure
from dossier_service.procedures.validation import Errors, Fault
from espace.i18n import Texts


@cache
def texts() -> Texts:
    """The catalogues of this package."""
    return Texts(Path(__file__).parent / "locale")


def errors_in_words(procedure: Procedure, errors: Errors, language: str) -> dict[str, list[str]]:
    """Every error at its field, as a sentence that says what to do."""
    return {
        key: [_words(procedure, key, fault, language) for fault in faults] for key, faults in errors.items()
    }


def _words(procedure: Procedure, key: str, fault: Fault, language: str) -> str:
    field = procedure.field(key)
    statement = next((item for item in procedure.statements if item.key == key), None)
    found = field or statement
    label = found.label if found else Localized.same(key)
    code = fault.code
    if code == "required" and field is not None and field.type is FieldType.CHOICE:
        code = "required_choice"
    return texts().gettext(language, f"fault.{code}", label=label[language], **fault.params)
