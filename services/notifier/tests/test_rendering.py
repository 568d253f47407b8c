"""Every template in every language, with canaries."""

import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from espace.i18n import LANGUAGES
from notifier_service.model import CURRENT_VERSION, Template
from notifier_service.rendering import TEMPLATES, Renderer, parse

FILES = [
    {"name": "canary-name-1", "size": "canary-size-1", "sha256": "canary-hash-1"},
    {"name": "canary-name-2", "size": "canary-size-2", "sha256": "canary-hash-2"},
]
ABOUT = {"number": "canary-number", "title": "canary-title", "page": "http://h/canary-page"}
DUE = {"due": "canary-due", "element": "canary-element"}
VALUES: dict[Template, dict[str, Any]] = {
    Template.SPACE_CONFIRMATION: {"link": "http://h/canary-link", "expires": "canary-expires"},
    Template.RECEIPT: {**ABOUT, "received": "canary-received", "files": FILES},
    Template.DRC_OPENED: {
        **ABOUT,
        **DUE,
        "origin": "citizen",
        "reasons": ["canary-reason-1", "canary-reason-2"],
    },
    Template.DRC_REMINDER: {**ABOUT, **DUE},
    Template.DRC_ANSWERED: {
        **ABOUT,
        "due": "canary-due",
        "received": "canary-received",
        "late": False,
        "files": FILES,
    },
    Template.DRC_LAPSED: {**ABOUT, **DUE, "reasons": ["canary-reason-1", "canary-reason-2"]},
}
RENDERER = Renderer()
EVERY = [(template, lang) for template in Template for lang in LANGUAGES]


def canaries(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(re.findall(r"canary-[a-z]+(?:-\d)?", value))
    if isinstance(value, dict):
        value = list(value.values())
    return set().union(*map(canaries, value)) if isinstance(value, list) else set()


def words_of(template: Template, lang: str) -> str:
    return (TEMPLATES / template / f"v{CURRENT_VERSION[template]}" / f"{lang}.txt").read_text("utf-8")


@pytest.mark.parametrize(("template", "lang"), EVERY)
def test_every_value_is_in_text_and_html(template: Template, lang: str) -> None:
    values = VALUES[template]
    rendered = RENDERER.render(template, CURRENT_VERSION[template], lang, values)
    for part in (rendered.text, rendered.html):
        assert canaries(part) >= canaries(values), template
        assert "{{" not in part
        assert "{%" not in part
    assert f'<html lang="{lang}">' in rendered.html
    assert "\n" not in rendered.subject
    assert 10 < len(rendered.subject) < 120


@pytest.mark.parametrize(("template", "lang"), EVERY)
def test_missing_value_is_an_error_never_a_blank(template: Template, lang: str) -> None:
    for name in VALUES[template]:
        values = {key: value for key, value in VALUES[template].items() if key != name}
        with pytest.raises(UndefinedError):
            RENDERER.render(template, CURRENT_VERSION[template], lang, values)


@pytest.mark.parametrize(("template", "lang"), EVERY)
def test_links_are_only_those_given(template: Template, lang: str) -> None:
    rendered = RENDERER.render(template, 1, lang, VALUES[template])
    addresses = set(re.findall(r"https?://[^\s\"<]+", rendered.html + rendered.text))
    assert len(addresses) == 1
    assert addresses <= {"http://h/canary-page", "http://h/canary-link"}


@pytest.mark.parametrize("template", [*Template, "layout"])
def test_no_language_is_a_copy_of_another(template: str) -> None:
    """Sentences, beyond values and punctuation, are written in each language."""
    seen: dict[str, str] = {}
    for lang in LANGUAGES:
        source = (TEMPLATES / template / "v1" / f"{lang}.txt").read_text("utf-8")
        for line in source.splitlines():
            words = re.sub(r"\{[{%].*?[%}]\}", "", line)
            if len(re.findall(r"[^\W\d_]{2,}", words)) >= 3:
                assert seen.setdefault(words, lang) == lang, line


@pytest.mark.parametrize("template", Template)
def test_all_languages_use_the_same_values(template: Template) -> None:
    used = [sorted(re.findall(r"\{[{%]\s*(.*?)\s*[%}]\}", words_of(template, lang))) for lang in LANGUAGES]
    assert used[0] == used[1] == used[2] == used[3]


def test_each_variant_has_its_words() -> None:
    for lang in LANGUAGES:
        citizen = RENDERER.render(Template.DRC_OPENED, 1, lang, VALUES[Template.DRC_OPENED])
        office = RENDERER.render(
            Template.DRC_OPENED, 1, lang, {**VALUES[Template.DRC_OPENED], "origin": "administration"}
        )
        assert citizen.text != office.text
        in_time = RENDERER.render(Template.DRC_ANSWERED, 1, lang, VALUES[Template.DRC_ANSWERED])
        late = RENDERER.render(
            Template.DRC_ANSWERED, 1, lang, {**VALUES[Template.DRC_ANSWERED], "late": True}
        )
        assert in_time.text != late.text
        bare = RENDERER.render(Template.RECEIPT, 1, lang, {**VALUES[Template.RECEIPT], "files": []})
        assert "SHA-256" not in bare.text


TERMS = {
    "fr": "demande de renseignement complémentaire (DRC)",
    "nl": "verzoek om aanvullende inlichtingen (DRC)",
    "de": "um zusätzliche Auskünfte (DRC)",
    "en": "request for further information (DRC)",
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_request_has_the_one_name_that_is_on_the_screen(lang: str) -> None:
    for template in (one for one in Template if one.startswith("drc_")):
        text = RENDERER.render(template, 1, lang, VALUES[template]).text
        assert TERMS[lang].casefold() in text.casefold(), template
        if lang == "de":
            assert "Ersuchen" in text


def test_unknown_version_or_language_is_an_error() -> None:
    for version, lang in ((2, "fr"), (1, "pt")):
        with pytest.raises(TemplateNotFound):
            RENDERER.render(Template.RECEIPT, version, lang, VALUES[Template.RECEIPT])


def test_blocks_are_paragraphs_lists_quotations_and_links() -> None:
    found = parse("one\ntwo\n\n\n- a\n- b\n\n> said\n\n[Go there](http://h/x)\n\n- a\nnot a list\n")
    assert [(block.kind, block.lines, block.address) for block in found] == [
        ("paragraph", ("one", "two"), ""),
        ("list", ("a", "b"), ""),
        ("quote", ("said",), ""),
        ("link", ("Go there",), "http://h/x"),
        ("paragraph", ("- a", "not a list"), ""),
    ]


def test_every_template_has_every_language_and_nothing_else() -> None:
    found = {str(path.relative_to(TEMPLATES)) for path in Path(TEMPLATES).rglob("*") if path.is_file()}
    wanted = {f"{template}/v1/{lang}.txt" for template in [*Template, "layout"] for lang in LANGUAGES}
    assert found == wanted | {"layout/v1/layout.html"}
