"""Nothing changes by looking (security check 9)."""

from urllib.parse import urljoin

from espace.testing import until
from espace_stack.legal import START as NOW
from espace_stack.testing.platform import Platform
from tests.e2e.app import expect
from tests.e2e.claims import QUESTION, add_to_request, deposit_with_drc, ready_question
from tests.e2e.conftest import NewApp
from tests.e2e.counter import Counter
from tests.e2e.fingerprint import differences, fingerprint

PROTOCOL = "/identity/"
"""A login begins there, by the rules of OpenID Connect: with rows of its own."""


def test_following_every_link_changes_nothing(platform: Platform, new_app: NewApp) -> None:
    app = new_app()
    platform.legal.freeze(NOW)
    submitted, request = deposit_with_drc(app)
    add_to_request(app, submitted, request)
    validated = ready_question(app)
    draft = expect(app.call("POST", "dossier/v1/dossiers", {"procedure": QUESTION}), 201)
    counter = Counter(platform).enter(app.person)
    platform.settle()
    waiting = "select id from documents where scan = 'pending'"
    until("the end of all scans", lambda: not platform.rows("documents", waiting))
    before = fingerprint(platform)
    seen = crawl(counter)
    assert differences(before, fingerprint(platform)) == {}
    counter.http.close()

    one = f"/dossiers/{submitted['id']}"
    drc = f"{one}/drc/{request['id']}"
    expected = {
        *(f"{one}/{page}" for page in ("declaration", "recepisse", "recepisse.pdf", "retrait")),
        *(drc, f"{drc}/pieces", f"{drc}/verification"),
        *(f"/dossiers/{validated['id']}/{page}" for page in ("pieces", "pieces/autres", "verification")),
        *(f"/dossiers/{draft['id']}/formulaire", "/demarches/reclamation-electorale", "/profil", "/api/"),
        *(f"/documents/{piece['document_id']}" for piece in submitted["attachments"]),
    }
    assert expected <= seen, expected - seen
    assert any(path.startswith("/espace-documents/") for path in seen), "no signed address was followed"


def crawl(counter: Counter) -> set[str]:
    """GET and HEAD whatever the pages lead to on this site; the paths."""
    todo, seen, paths = ["/accueil"], set[str](), set[str]()
    while todo:
        address = urljoin(counter.origin, todo.pop()).split("#")[0]
        path = address.removeprefix(counter.origin).split("?")[0]
        if address in seen or not address.startswith(f"{counter.origin}/") or path.startswith(PROTOCOL):
            continue
        seen.add(address)
        paths.add(path)
        counter.http.head(address)
        answer = counter.http.get(address)
        assert answer.status_code < 400, (address, answer.status_code)
        if answer.is_redirect:
            todo.append(urljoin(address, answer.headers["Location"]))
        elif answer.headers["content-type"].startswith("text/html"):
            counter.page, counter.address = answer, address
            todo += map(str, counter.document().xpath("//a/@href | //link/@href | //*/@src"))
    return paths
