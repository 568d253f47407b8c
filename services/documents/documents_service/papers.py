"""Declaration and receipt: what each shows, chosen from what dossier answers.

A paper holds what is printed and nothing else: what changes meanwhile in the dossier (whether the window is
still open, say) does not make another receipt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from documents_service.texts import catalogues
from espace.i18n import best_language, format_date, format_instant

PaperKind = Literal["declaration", "receipt"]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What one PDF shows; ``content`` is the template's data, ``at`` the instant it speaks of."""

    kind: PaperKind
    filename: str
    at: datetime
    content: Mapping[str, Any]


def declaration(data: Mapping[str, Any]) -> Paper:
    """The paper of dossier's ``GET …/declaration``."""
    words = _Words(data)
    at = datetime.fromisoformat(data["validated_at"])
    reference = data["number"] or data["dossier_id"]
    content = {
        **_common(data, words, "declaration.title", reference),
        "facts": [
            *_identification(data, words),
            words.fact("declaration.validated", format_instant(at, words.language)),
        ],
        "sections": [
            {"title": section["title"], "rows": [_row(row["label"], row["value"]) for row in section["rows"]]}
            for section in data["sections"]
        ],
        "statements": [
            {
                "label": statement["label"],
                "answer": words(f"declaration.{'accepted' if statement['accepted'] else 'not_accepted'}"),
            }
            for statement in data["statements"]
        ],
        "hash": data["values_sha256"],
    }
    content["words"] |= words.some("declaration", "statements", "seal", "seal_explained")
    return Paper(
        kind="declaration",
        filename=words("declaration.filename", reference=reference),
        at=at,
        content=content,
    )


def receipt(data: Mapping[str, Any]) -> Paper:
    """The paper of dossier's ``GET …/receipt``."""
    words = _Words(data)
    at = datetime.fromisoformat(data["received_at"])
    citizen = data["citizen"]
    content = {
        **_common(data, words, "receipt.title", data["number"]),
        "facts": [
            *_identification(data, words),
            words.fact("receipt.subject", data.get("subtitle") or data["title"]),
            words.fact("receipt.citizen", f"{citizen['given_name']} {citizen['family_name']}"),
            words.fact("receipt.received", format_instant(at, words.language, seconds=True)),
            words.fact("receipt.instant", data["received_at"]),
            words.fact("receipt.values", data["values_sha256"], mono=True),
        ],
        "files": [
            {
                "slot": file.get("slot_title") or file["slot"],
                "name": file["filename"],
                "size": words("receipt.bytes", size=file["size"]),
                "sha256": file["sha256"],
            }
            for file in data["documents"]
        ],
        "request": _request(data.get("information_request"), words),
        "window": _window(data.get("window"), words),
        "hash": data["content_sha256"],
    }
    content["words"] |= words.some(
        "receipt", "files", "file", "size", "no_files", "request", "window", "seal", "seal_explained"
    )
    content["words"]["received_explained"] = words("receipt.explained")
    return Paper(
        kind="receipt", filename=words("receipt.filename", reference=data["number"]), at=at, content=content
    )


LAYOUTS: Final[Mapping[PaperKind, Callable[[Mapping[str, Any]], Paper]]] = MappingProxyType(
    {"declaration": declaration, "receipt": receipt}
)


class _Words:
    """The catalogue's texts in the paper's language."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.language = best_language(data.get("language"))

    def __call__(self, msgid: str, /, **params: Any) -> str:
        return catalogues().gettext(self.language, msgid, **params)

    def fact(self, suffix: str, value: str, *, mono: bool = False) -> dict[str, Any]:
        return _row(self(suffix), value, mono=mono)

    def some(self, prefix: str, *names: str) -> dict[str, str]:
        return {name: self(f"{prefix}.{name}") for name in names}


def _row(label: str, value: Any, *, mono: bool = False) -> dict[str, Any]:
    return {"label": label, "value": "" if value is None else str(value), **({"mono": True} if mono else {})}


def _common(data: Mapping[str, Any], words: _Words, title: str, reference: str) -> dict[str, Any]:
    return {
        "language": words.language,
        "title": words(title),
        "procedure": data["procedure"]["title"],
        "reference": reference,
        "words": {
            "author": words("paper.author"),
            "replaced": words("paper.replaced"),
            "columns": [words("paper.column.label"), words("paper.column.value")],
        },
    }


def _identification(data: Mapping[str, Any], words: _Words) -> list[dict[str, Any]]:
    procedure = data["procedure"]
    return [
        words.fact("paper.number", data["number"] or words("paper.number.none")),
        words.fact("paper.dossier", data["dossier_id"]),
        words.fact("paper.procedure", f"{procedure['key']} v{procedure['version']}"),
    ]


def _request(request: Mapping[str, Any] | None, words: _Words) -> dict[str, Any] | None:
    if not request:
        return None
    due = format_date(date.fromisoformat(request["due_date"]), words.language)
    return {
        "facts": [words.fact("receipt.element", request["element"]), words.fact("receipt.due", due)],
        "reasons": list(request["reasons"]),
    }


def _window(window: Mapping[str, Any] | None, words: _Words) -> dict[str, Any] | None:
    if not window or not window.get("date"):
        return None
    last = format_date(date.fromisoformat(window["date"]), words.language)
    return {"facts": [words.fact("receipt.last_day", last)], "reasons": list(window["reasons"])}
