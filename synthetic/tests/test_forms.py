"""A page's forms, as a person without script fills them in."""

from synthetic_citizen.forms import forms

PAGE = """
<form method="post" action="/identity/login">
<input type="hidden" name="csrf" value="a&amp;b"><input type="checkbox" name="remember" value="yes">
<button type="submit" name="means" value="sms">SMS</button>
<button type="submit" name="means" value="itsme">itsme</button>
<button type="submit" name="means" value="eid" disabled>eID</button>
</form>
<form action="search">
<select name="who"><option value="">?</option><option value="marc" selected>Marc</option>
<option value="controle">C</option></select><input name="page" value="2"></form>
"""


def test_fields_keep_what_they_hold_and_the_named_button_is_pressed() -> None:
    login, _ = forms(PAGE)
    assert (login.method, login.action) == ("POST", "/identity/login")
    assert login.filled({"means": "itsme"}) == {"csrf": "a&b", "means": "itsme"}


def test_a_field_is_filled_in_by_its_name() -> None:
    _, search = forms(PAGE)
    assert search.fields == {"who": "marc", "page": "2"}
    assert search.filled({"who": "controle", "other": "x"}) == {"who": "controle", "page": "2"}


def test_a_form_with_nothing_to_answer_and_a_disabled_button_are_left_alone() -> None:
    login, search = forms(PAGE)
    assert not login.knows({"means": "eid"})
    assert not search.knows({"means": "itsme"})
    assert login.knows({"means": "itsme"})
