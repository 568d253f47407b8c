"""Which means the page offers: as the source says, or all of them when no source says anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event

import httpx
import pytest
from flask import Flask

from espace.db import Database
from identity_service.app import create_app
from identity_service.availability import FRESH_SECONDS, KEPT_SECONDS, Availability
from identity_service.settings import Settings
from services.identity.tests.house import SOURCE, House

MEANS = ("eid", "itsme", "sms")
ITSME_DOWN = {"means": {"eid": {"available": True}, "itsme": {"available": False}}}


def says(content: object) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, json=content)


def is_away() -> httpx.Response:
    raise httpx.ReadTimeout("away")


@dataclass
class Source:
    """A source that is asked which means work, and a clock."""

    answer: Callable[[], httpx.Response]
    now: float = 1000.0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        http = httpx.Client(transport=httpx.MockTransport(self))
        self.availability = Availability(f"{SOURCE}/status", http, clock=lambda: self.now)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return self.answer()

    def working(self, *, after: float = 0.0) -> set[str]:
        self.now += after
        return set(self.availability.working(MEANS))


def test_what_the_source_says_is_out_of_order_does_not_work() -> None:
    assert Source(says(ITSME_DOWN)).working() == {"eid", "sms"}


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(404),
        lambda: httpx.Response(302, headers={"Location": "/"}),
        lambda: httpx.Response(200, text="<html>"),
        says([]),
        says({"status": "ok"}),
        says({"means": {"itsme": "down"}}),
    ],
)
def test_a_source_that_says_nothing_of_the_kind_is_found_out_by_trying(
    answer: Callable[[], httpx.Response],
) -> None:
    assert Source(answer).working() == set(MEANS)


@pytest.mark.parametrize("answer", [is_away, lambda: httpx.Response(503)])
def test_a_source_that_does_not_answer_has_no_means_that_works(answer: Callable[[], httpx.Response]) -> None:
    source = Source(answer)
    assert source.working() == set()
    source.answer = says({"means": {}})
    assert source.working(after=FRESH_SECONDS) == set(MEANS)


def test_one_answer_that_does_not_come_switches_nothing_off() -> None:
    source = Source(says(ITSME_DOWN))
    source.working()
    source.answer = is_away
    assert source.working(after=FRESH_SECONDS) == {"eid", "sms"}
    assert source.working(after=KEPT_SECONDS - FRESH_SECONDS - 1) == {"eid", "sms"}
    assert source.working(after=1) == set()


def test_an_answer_serves_the_pages_of_some_seconds() -> None:
    source = Source(says(ITSME_DOWN))
    for _ in range(3):
        source.working(after=FRESH_SECONDS / 3 - 0.1)
    assert len(source.asked) == 1
    source.answer = says({"means": {}})
    assert source.working(after=FRESH_SECONDS) == set(MEANS)
    source.answer = is_away
    source.working(after=KEPT_SECONDS)
    source.working()
    assert len(source.asked) == 3, "a source that is away is not asked again by each page either"


def test_many_first_pages_at_once_ask_once_and_all_wait_for_the_answer() -> None:
    asked, may_answer = Event(), Event()

    def slowly() -> httpx.Response:
        asked.set()
        assert may_answer.wait(30)
        return httpx.Response(200, json=ITSME_DOWN)

    source = Source(slowly)
    with ThreadPoolExecutor(8) as pool:
        pages = [pool.submit(source.working) for _ in range(8)]
        assert asked.wait(30)
        may_answer.set()
        assert [page.result(30) for page in pages] == [{"eid", "sms"}] * 8
    assert len(source.asked) == 1


def test_pages_go_by_the_last_answer_while_one_asks_again() -> None:
    asked, may_answer = Event(), Event()

    def slowly() -> httpx.Response:
        asked.set()
        assert may_answer.wait(30)
        return httpx.Response(200, json={"means": {}})

    source = Source(says(ITSME_DOWN))
    source.working()
    source.answer = slowly
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(source.working, after=FRESH_SECONDS)
        assert asked.wait(30)
        assert source.working() == {"eid", "sms"}
        may_answer.set()
        assert first.result(30) == set(MEANS)


def test_without_an_address_to_ask_every_means_is_offered_and_works(
    settings: Settings, database: Database, simulator: Flask
) -> None:
    """A standard provider knows no such address."""
    del simulator.view_functions["status"]
    standard = replace(settings, upstream_status_url="")
    app = create_app(standard, database, transport=httpx.WSGITransport(app=simulator))
    house = House(app, simulator, standard, database)
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    assert page.text.count('name="means"') == 7
    assert "disabled" not in page.text
    assert house.log_in(browser)["code"]
