"""Texts are in the catalogues, complete in four languages, and templates keep the house's rules."""

import re
from pathlib import Path

import pytest

import espace_web
from espace.i18n import LANGUAGES, Texts
from espace_web.catalogues import used_texts

FOLDER = Path(espace_web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
# What is the same in every language, or belongs to no language.
PLAIN = re.compile(r"^[\s·–›◷*✓,.:()/]*$|^(– )?(Mon Espace|/(identity|api)/[ .\w/-]+|Wallonie\.be|PDF|\d+)$")


@pytest.fixture(scope="module")
def texts():
    return Texts(FOLDER / "locale")


def test_french_has_every_text_as_its_own_id(texts):
    assert texts.texts("fr") == {text: text for text in used_texts()}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "fr"])
def test_catalogue_is_complete_and_keeps_the_placeholders(texts, language):
    assert texts.missing(language) == set()
    for msgid, text in texts.texts(language).items():
        assert set(PLACEHOLDER.findall(msgid)) == set(PLACEHOLDER.findall(str(text))), msgid


def test_french_punctuation_and_apostrophes():
    for text in used_texts():
        assert "'" not in text, text
        assert not re.search(r"\w[?!;:](?!//)", text), text
        assert "..." not in text, text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_has_no_inline_code_and_no_text_outside_the_catalogues(path):
    source = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|javascript:|\son\w+=|\|\s*safe\b", source)
    for script in re.findall(r"<script[^>]*>.*?</script>", source, re.S):
        assert "src=" in script
        assert script.rstrip().endswith("></script>")
    source = re.sub(r"\{% block tab %\}\w+\{% endblock %\}", "", source)
    without = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.S)
    without = re.sub(r"<(script|code)\b.*?</\1>|<!doctype html>", " ", without, flags=re.S)
    for node in re.split(r"<[^>]*>", without):
        for line in node.splitlines():
            assert PLAIN.match(line.strip()), f"{path.name}: {line.strip()!r}"
    for attribute in ("alt", "aria-label", "title", "placeholder"):
        for value in re.findall(rf'\s{attribute}="([^"{{]+)"', source):
            pytest.fail(f"{path.name}: {attribute}={value!r} outside the catalogues")


def test_every_form_that_posts_has_a_token():
    for path in TEMPLATES:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text("utf-8"), re.S):
            assert "csrf()" in form, path.name


def test_stylesheet_is_ours_alone():
    css = (FOLDER / "static" / "app.css").read_text("utf-8")
    assert not re.search(r"GDS Transport|crest|crown|@font-face|url\(http|#1d70b8", css, re.I)


def test_script_is_small():
    assert (FOLDER / "static" / "app.js").stat().st_size < 10_000
    source = (FOLDER / "static" / "app.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", source)
