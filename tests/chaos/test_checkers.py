"""The judges are judged first: each is content with a kept promise, and with no broken one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checkers
from tests.chaos.checkers import Copy, Deposit, Firing, Verdict
from tests.chaos.history import History, Operation, Outcome

DUE = datetime(2024, 10, 19, 22, tzinfo=UTC)
LATE = timedelta(seconds=60)


def operation(
    f: str, key: str, outcome: Outcome = "ok", value: Any = None, began: float = 0, ended: float = 1
) -> Operation:
    return Operation("citizen-1", f, key, outcome, value, began, ended)


def found(verdict: Verdict) -> set[str]:
    """The kinds of what is wrong."""
    return {kind for kind in ("lost", "duplicated", "wrong", "unknown") if getattr(verdict, kind)}


# ---- the history


def test_what_never_ended_is_unknown_and_not_refused(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    first = history.invoke("a", "submit", "d1", "asked")
    second = history.invoke("b", "submit", "d2", "asked")
    history.end(second, "b", "ok", "submit", "d2", "ME-1")
    history.end(first, "a", "fail", "submit", "d1")
    history.invoke("a", "read", "d1")
    again = History(tmp_path / "history.jsonl").operations()
    assert [(one.key, one.outcome, one.value) for one in again] == [
        ("d1", "fail", "asked"),
        ("d2", "ok", "ME-1"),
        ("d1", "info", None),
    ]
    assert again[2].ended == float("inf")


# ---- deposits


@pytest.mark.parametrize(
    ("done", "there", "wanted"),
    [
        ([operation("submit", "d", value="ME-1")], [Deposit("d", "ME-1")], set()),
        (
            [operation("submit", "d", "info"), operation("submit", "d", value="ME-1")],
            [Deposit("d", "ME-1")],
            set(),
        ),
        ([operation("submit", "d", "info")], [], set()),
        ([operation("submit", "d", "info")], [Deposit("d", "ME-1")], set()),
        ([operation("submit", "d", "fail")], [], set()),
        ([operation("submit", "d", value="ME-1")], [], {"lost"}),
        ([operation("submit", "d", value="ME-1")], [Deposit("d", "ME-1")] * 2, {"duplicated"}),
        ([operation("submit", "d", value="ME-1")], [Deposit("d", "ME-2")], {"wrong"}),
        (
            [operation("submit", "d", value="ME-1"), operation("submit", "d", value="ME-2")],
            [Deposit("d", "ME-2")],
            {"wrong"},
        ),
        ([operation("submit", "d", "fail")], [Deposit("d", "ME-1")], {"wrong"}),
        ([], [Deposit("d", "ME-1")], {"wrong"}),
        (
            [operation("submit", "d", value="ME-1"), operation("submit", "e", value="ME-1")],
            [Deposit("d", "ME-1"), Deposit("e", "ME-1")],
            {"duplicated"},
        ),
    ],
)
def test_deposits(done: list[Operation], there: list[Deposit], wanted: set[str]) -> None:
    assert found(checkers.submissions(done, there)) == wanted


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        ([("submitted", 2)], set()),
        ([("validated", 0.5)], set()),
        ([("validated", 2)], {"lost"}),
        ([("submitted", 2), ("withdrawn", 4)], set()),
        ([("withdrawn", 2), ("submitted", 4)], {"wrong"}),
        ([("submitted", 2), ("draft", 4)], {"lost", "wrong"}),
    ],
)
def test_reads(read: list[tuple[str, float]], wanted: set[str]) -> None:
    done = [operation("submit", "d", value="ME-1", began=0, ended=1)]
    done += [operation("read", "d", value=state, began=at, ended=at + 0.1) for state, at in read]
    assert found(checkers.reads(done)) == wanted


def test_an_edited_draft_goes_back_and_that_is_right() -> None:
    done = [
        operation("read", "d", value=state, began=at, ended=at)
        for state, at in (("validated", 1), ("draft", 2))
    ]
    assert checkers.reads(done).kept


# ---- files and mail


@pytest.mark.parametrize(
    ("rows", "objects", "wanted"),
    [
        ({"x": "aa"}, {"x": "aa", "orphan": "bb"}, set()),
        ({}, {}, {"lost"}),
        ({"x": "aa"}, {}, {"lost"}),
        ({"x": "bb"}, {"x": "bb"}, {"wrong"}),
        ({"x": "aa"}, {"x": "bb"}, {"wrong"}),
    ],
)
def test_files(rows: dict[str, str], objects: dict[str, str], wanted: set[str]) -> None:
    done = [operation("upload", "x", value="aa"), operation("upload", "y", "info", "cc")]
    assert found(checkers.files(done, rows, objects)) == wanted


@pytest.mark.parametrize(
    ("rows", "undecided", "wanted"), [({}, "x", set()), ({"x": "aa"}, "", set()), ({}, "", {"lost"})]
)
def test_what_was_sent_is_there_or_decided(rows: dict[str, str], undecided: str, wanted: set[str]) -> None:
    done = [operation("send", "x", value="aa"), operation("send", "y", "info", "cc")]
    assert found(checkers.files(done, rows, rows, undecided)) == wanted


RECEIPT = Copy("<1@x>", "lucie@x", "d", "receipt")


@pytest.mark.parametrize(
    ("arrived", "ambiguous", "wanted"),
    [
        ([RECEIPT], 0, set()),
        ([RECEIPT, RECEIPT], 1, set()),
        ([RECEIPT, RECEIPT], 0, {"duplicated"}),
        ([RECEIPT, Copy("<2@x>", "lucie@x", "d", "receipt")], 1, {"duplicated"}),
        ([], 0, {"lost"}),
        ([Copy("<1@x>", "marc@x", "d", "receipt")], 0, {"wrong"}),
        ([RECEIPT, Copy("<3@x>", "lucie@x", "e", "receipt")], 0, {"wrong"}),
    ],
)
def test_mails(arrived: list[Copy], ambiguous: int, wanted: set[str]) -> None:
    assert found(checkers.mails({("d", "receipt"): "lucie@x"}, arrived, ambiguous)) == wanted


# ---- deadlines


@pytest.mark.parametrize(
    ("fired", "wanted"),
    [
        ([Firing("a", 1, DUE)], set()),
        ([Firing("a", 1, DUE + timedelta(seconds=59))], set()),
        ([Firing("a", 1, DUE - timedelta(microseconds=1))], {"wrong"}),
        ([Firing("a", 1, DUE + timedelta(seconds=61))], {"wrong"}),
        ([Firing("a", 1, DUE)] * 2, {"duplicated"}),
        ([Firing("a", 1, DUE), Firing("b", 1, DUE)], {"wrong"}),
        ([Firing("a", 1, DUE), Firing("c", 1, DUE)], {"wrong"}),
        ([], {"lost"}),
    ],
)
def test_deadlines(fired: list[Firing], wanted: set[str]) -> None:
    due, now = {("a", 1): DUE, ("z", 1): DUE + timedelta(days=9)}, DUE + timedelta(hours=1)
    verdict = checkers.deadlines(due, {("b", 1)}, fired, now=now, late=LATE)
    assert found(verdict) == wanted


# ---- events


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        (["submitted"], set()),
        (["submitted", "information_requested", "reminder_due", "information_provided", "withdrawn"], set()),
        (["submitted", "information_requested", "information_request_lapsed", "information_provided"], set()),
        (["submitted", "information_requested", "information_requested", "information_provided"], set()),
        (["information_requested"], {"wrong"}),
        (["submitted", "submitted"], {"wrong"}),
        (
            ["submitted", "information_requested", "information_provided", "information_request_lapsed"],
            {"wrong"},
        ),
        (["submitted", "withdrawn", "information_requested"], {"wrong"}),
    ],
)
def test_status(log: list[str], wanted: set[str]) -> None:
    assert found(checkers.status({"d": list(enumerate(log, start=3))})) == wanted


@pytest.mark.parametrize(
    ("versions", "wanted"), [((1, 2), set()), ((2, 2), {"duplicated"}), ((2, 1), {"wrong"})]
)
def test_versions(versions: tuple[int, int], wanted: set[str]) -> None:
    log = list(zip(versions, ("submitted", "withdrawn"), strict=True))
    assert found(checkers.status({"d": log})) == wanted


@pytest.mark.parametrize(
    ("applied", "dead", "waiting", "wanted"),
    [
        ("12", set(), 0, set()),
        ("1", {"2"}, 0, set()),
        ("1", set(), 0, {"lost"}),
        ("1", set(), 1, {"unknown"}),
        ("129", set(), 0, {"wrong"}),
        ("1221", set(), 0, {"duplicated"}),
    ],
)
def test_conservation(applied: str, dead: set[str], waiting: int, wanted: set[str]) -> None:
    verdict = checkers.conservation(
        {"1": "a", "2": "a", "3": "b"},
        {"reader": applied},
        {"reader": dead},
        {"reader": ["a"]},
        waiting=waiting,
    )
    assert found(verdict) == wanted
