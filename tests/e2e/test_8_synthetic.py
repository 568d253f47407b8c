"""The synthetic citizen: the platform files a dossier with itself, and says at which step it could not."""

import dataclasses

import pytest
from prometheus_client import REGISTRY

from espace.config import load
from espace.worker import Stop
from espace_stack.testing import Platform
from synthetic_citizen.settings import Settings
from synthetic_citizen.vigil import Vigil

QUICK = 3.0
"""Seconds of patience that suffice to see that something does not answer."""


@pytest.fixture
def settings(platform: Platform) -> Settings:
    """As the stack gives them to its own, but for the patience."""
    return load(Settings, platform.stack.settings.synthetic())


def ended(outcome: str) -> float:
    """How many journeys ended so."""
    return REGISTRY.get_sample_value("espace_synthetic_journeys_total", {"outcome": outcome}) or 0.0


def test_a_journey_files_withdraws_and_leaves_no_trace_in_counts_or_mails(
    platform: Platform, settings: Settings
) -> None:
    mails = len(platform.mail.messages())
    before = ended("succeeded")
    assert Vigil(settings).journey(Stop())
    assert ended("succeeded") == before + 1
    assert REGISTRY.get_sample_value("espace_last_success_timestamp_seconds", {"job": "synthetic"})
    platform.settle()
    assert len(platform.mail.messages()) == mails
    ((dossier_id, procedure, state),) = platform.rows(
        "dossier",
        "SELECT id, procedure, state FROM dossiers WHERE synthetic ORDER BY number DESC NULLS LAST LIMIT 1",
    )
    assert (procedure, state) == ("question-administration", "withdrawn")
    ((message, reason),) = platform.rows(
        "notifier", f"SELECT state, reason FROM notifications WHERE dossier_id = '{dossier_id}'"
    )
    assert (message, reason) == ("not_sent", "no_confirmed_address")
    assert platform.rows("documents", f"SELECT 1 FROM manifests WHERE dossier_id = '{dossier_id}'") == []


@pytest.mark.parametrize(
    ("stopped", "step"),
    [
        ("gateway", "pages"),
        ("simulator", "login"),
        ("dossier-api", "open"),
        ("notifier-worker", "receipt"),
        ("dossier-worker", "receipt"),
    ],
)
def test_what_does_not_work_is_named_by_its_step(
    platform: Platform, settings: Settings, stopped: str, step: str
) -> None:
    before = ended(step)
    platform.part(stopped).stop()
    assert not Vigil(dataclasses.replace(settings, patience_seconds=QUICK)).journey(Stop())
    assert ended(step) == before + 1


def test_one_who_cannot_log_in_says_where(platform: Platform, settings: Settings) -> None:
    stranger = dataclasses.replace(settings, login_fields="means=itsme\nusername=nobody\naction=confirm")
    before = ended("login")
    assert not Vigil(stranger).journey(Stop())
    assert ended("login") == before + 1
