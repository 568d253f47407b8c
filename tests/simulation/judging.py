"""What is there at the end of a story, in the words of the judges."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from espace.bus import topology
from tests.chaos.checkers import (
    Copy,
    Deposit,
    Verdict,
    conservation,
    deadlines,
    mails,
    reads,
    status,
    submissions,
)
from tests.chaos.gather import OF_A_DOSSIER, PREFIX
from tests.simulation.house import PUBLISHERS, House, mailbox_of
from tests.simulation.story import Story

_TEMPLATES: Final = {
    "submitted": "receipt",
    "information_requested": "drc_opened",
    "reminder_due": "drc_reminder",
    "information_provided": "drc_answered",
    "information_request_lapsed": "drc_lapsed",
}


def judge(story: Story) -> dict[str, Verdict]:
    """Every judge's verdict of a story that is at its end."""
    return {
        "rest": Verdict() if story.at_rest else Verdict(unknown=["something still waits"]),
        "events": _events(story),
        "dead letters": _dead_letters(story),
        "submissions": submissions(_operations(story), _deposits(story.house)),
        "reads": reads(_operations(story)),
        "lives": _lives(story.house),
        "requests": _requests(story),
        "deadlines": _deadlines(story),
        "mails": _mails(story),
        "documents": _documents(story.house),
    }


def _operations(story: Story) -> list[Any]:
    return [operation for citizen in story.acts.citizens for operation in citizen.history]


def _events(story: Story) -> Verdict:
    house = story.house
    published = {str(id_): type_ for s in PUBLISHERS for id_, type_ in _log(house, s, "id, type")}
    applied, dead = {}, {}
    for reader in topology.SUBSCRIPTIONS:
        applied[reader] = [str(row[0]) for row in house.rows(reader, "select event_id from inbox")]
        letters = house.broker.queues[topology.dead_queue(reader)].ready
        dead[reader] = [json.loads(one.body)["id"] for one in letters if one.body != b"poison"]
    return conservation(published, applied, dead, topology.SUBSCRIPTIONS)


def _dead_letters(story: Story) -> Verdict:
    """Poison, as often as there was some, and nothing else."""
    verdict = Verdict()
    for reader, poisoned in story.nature.poisoned.items():
        letters = story.house.broker.queues[topology.dead_queue(reader)].ready
        found = sum(1 for letter in letters if letter.body == b"poison")
        if found != poisoned:
            verdict.wrong.append(f"{reader} has parked {found} of {poisoned} poisonous letters")
        verdict.lost += [
            f"{reader} has given up {letter.properties.message_id}: {letter.properties.headers}"
            for letter in letters
            if letter.body != b"poison"
        ]
    return verdict


def _deposits(house: House) -> list[Deposit]:
    found = _log(house, "dossier", "subject, data->>'number'", f"type = '{PREFIX}submitted.v1'")
    return [Deposit(str(dossier), str(number)) for dossier, number in found]


def _lives(house: House) -> Verdict:
    logs: dict[str, list[tuple[int, str]]] = {}
    for subject, version, type_ in _log(house, "dossier", "subject, version, type", OF_A_DOSSIER):
        logs.setdefault(subject, []).append((version, _short(type_)))
    return status(logs)


def _requests(story: Story) -> Verdict:
    """A request ends as the citizen was told: answered in time, or lapsed, or withdrawn with its dossier.
    Each thing that happens to it happens once.
    """
    verdict = Verdict()
    facts = _log(story.house, "dossier", "type, data", OF_A_DOSSIER)
    happened = Counter((_short(type_), *_about("", data)) for type_, data in facts)
    verdict.duplicated += [f"{what} {count} times" for what, count in happened.items() if count > 1]
    query = "select dossier_id::text, state, due_at from information_requests"
    states = {dossier: (state, due) for dossier, state, due in story.house.rows("dossier", query)}
    for citizen in story.acts.citizens:
        dossier = str(citizen.dossier_id)
        if dossier not in states:
            continue
        state, due = states[dossier]
        told = citizen.learned("answer")
        wanted = "answered" if told == "in time" else "lapsed"
        if told is None and any(one.f == "withdraw" and one.outcome == "ok" for one in citizen.history):
            wanted = "withdrawn"
        if due > story.house.clock.instant:
            verdict.unknown.append(f"{dossier} is not due yet")
        if state != wanted:
            verdict.wrong.append(f"the request of {dossier} ended as {state}, not as {wanted}")
    return verdict


def _deadlines(story: Story) -> Verdict:
    """The scheduler keeps what dossier said last, and has fired what is due, and nothing before its time."""
    house = story.house
    said: dict[tuple[str, int], datetime | None] = {}
    for subject, version, data in _log(
        house, "dossier", "subject, version, data", "type like '%.deadline_%'"
    ):
        said[subject, version] = datetime.fromisoformat(data["due_at"]) if "due_at" in data else None
    last = dict(sorted(said))
    fired = {(firing.deadline_id, firing.version) for firing in story.acts.firings}
    due = {
        what: at
        for what, at in said.items()
        if at is not None and (what in fired or last[what[0]] == what[1])
    }
    verdict = deadlines(due, (), story.acts.firings, now=house.clock.instant, late=timedelta(days=60))
    verdict.lost += [
        f"{what} was due at {at} and never fired"
        for what, at in due.items()
        if at <= house.clock.instant and what not in fired
    ]
    kept = dict(house.rows("scheduler", "select id::text, version from deadlines"))
    verdict.wrong += [
        f"the scheduler has {subject} at version {kept.get(subject)}, and dossier said {version}"
        for subject, version in last.items()
        if kept.get(subject) != version
    ]
    return verdict


def _mails(story: Story) -> Verdict:
    """Each fact is told once, and what lost its reason before it was told, not at all."""
    house = story.house
    wanted: dict[tuple[str, str], str] = {}
    for type_, data in _log(house, "dossier", "type, data", OF_A_DOSSIER):
        if (template := _TEMPLATES.get(_short(type_))) is not None:
            wanted[_about(template, data)] = mailbox_of(data["citizen_id"])
    named, untold = {}, []
    query = "select id::text, template, facts, state, reason from notifications"
    for id_, template, facts, state, reason in house.rows("notifier", query):
        named[id_] = _about(template, facts)
        if state == "not_sent":
            assert template in ("drc_opened", "drc_reminder", "drc_lapsed"), f"{template}: {reason}"
            untold.append(named[id_])
        elif state == "failed" and any(message.startswith(f"<{id_}@") for message in house.mail.refused):
            untold.append(named[id_])
    arrived = []
    for message_id, recipient in house.mail.taken:
        about, template = named[message_id.strip("<>").split("@")[0]]
        arrived.append(Copy(message_id, recipient, about, template))
    sent = {(copy.about, copy.template) for copy in arrived}
    for what in untold:
        if what not in sent:  # it may have left before, and nobody was told
            wanted.pop(what, None)
    return mails(wanted, arrived, house.mail.ambiguous)


def _about(template: str, facts: dict[str, Any]) -> tuple[str, str]:
    """What a message is about: a request that was given more time is told, and reminded of, anew."""
    due = f" until {facts['due_date']}" if "due_date" in facts else ""
    days = f" {facts['days_before']}" if "days_before" in facts else ""
    return f"{facts['dossier_id']}{due}", f"{template}{days}"


def _documents(house: House) -> Verdict:
    """Each deposit is sealed, always in the same words, and each scan is known to dossier."""
    verdict = Verdict()
    sealed = f"type in ('{PREFIX}submitted.v1', '{PREFIX}information_provided.v1')"
    deposits = {str(id_) for (id_,) in _log(house, "dossier", "id", sealed)}
    written = {key.split("/")[-1].removesuffix(".json"): found for key, found in house.store.objects.items()}
    verdict.lost += [f"{event} is not sealed" for event in sorted(deposits - written.keys())]
    verdict.wrong += [f"{event} is sealed and nobody deposited it" for event in written.keys() - deposits]
    verdict.wrong += [
        f"{event} is sealed twice, otherwise" for event, put in written.items() if len(set(put)) > 1
    ]
    scanned = dict(
        _log(house, "documents", "subject, data->>'outcome'", "type = 'be.espace.document.scanned.v1'")
    )
    known = dict(house.rows("dossier", "select document_id::text, outcome from document_scans"))
    if known != scanned:
        verdict.wrong.append(f"dossier knows the scans {known}, and they are {scanned}")
    return verdict


def _short(type_: str) -> str:
    return type_.removeprefix(PREFIX).removesuffix(".v1")


def _log(house: House, service: str, columns: str, which: str = "true") -> list[tuple[Any, ...]]:
    return house.rows(service, f"select {columns} from event_log where {which} order by position")
