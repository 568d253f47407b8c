"""However a session ends, its cookie is worth nothing afterwards."""

import os
import subprocess
import sys

from espace.testing import until
from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.conftest import Citizens
from tests.e2e.counter import Counter, answer_to, is_a_strangers, row_of


def test_after_logout_the_old_cookie_is_a_strangers(platform: Platform, candidate: App) -> None:
    counter = living(platform, candidate)
    cookie = counter.cookie
    counter.submit(to="/deconnexion")
    assert is_a_strangers(answer_to(platform, cookie))
    counter.open("/connexion")
    assert "/identity/login" in counter.address, "the provider's session has ended too"
    counter.http.close()


def test_a_logout_at_the_provider_ends_the_session_within_a_second(
    platform: Platform, candidate: App
) -> None:
    counter = living(platform, candidate)
    cookie = counter.cookie
    counter.open("/identity/logout").submit(to="/identity/logout")
    until("the end of the session", lambda: is_a_strangers(answer_to(platform, cookie)), seconds=1)
    counter.http.close()


def test_a_session_ends_by_inactivity_and_twelve_hours_after_its_login(
    platform: Platform, candidate: App
) -> None:
    for change in (
        "seen_at = seen_at - interval '30 minutes'",
        "created_at = created_at - interval '12 hours'",
    ):
        counter = living(platform, candidate)
        where = row_of(counter.cookie)
        assert len(platform.rows("web", f"update sessions set {change} where {where} returning id")) == 1
        assert is_a_strangers(answer_to(platform, counter.cookie)), change
        counter.http.close()


def test_a_disabled_citizen_is_out_at_once(platform: Platform, citizens: Citizens) -> None:
    person = citizens.take()
    counter = Counter(platform).enter(person)
    query = f"select citizen_id from sources where subject = '{person.subject}'"
    ((citizen_id,),) = platform.rows("identity", query)
    subprocess.run(
        [sys.executable, "-m", "identity_service", "disable", str(citizen_id)],
        env={**os.environ, **platform.stack.env("identity-api")},
        check=True,
        capture_output=True,
    )
    until("the end of the session", lambda: is_a_strangers(answer_to(platform, counter.cookie)), seconds=5)
    counter.http.close()


def living(platform: Platform, app: App) -> Counter:
    """A browser with a session that opens pages."""
    counter = Counter(platform).enter(app.person)
    assert answer_to(platform, counter.cookie).status_code == 200
    return counter
