"""After everything, kills and outages included: the checkers of tests/chaos over all that was done here."""

from datetime import timedelta

from espace_stack.testing.platform import Platform
from tests.chaos import gather

TRAVELLED = timedelta(days=60)
"""The tests before move legal time about; how late a deadline fires is measured elsewhere."""


def test_every_event_of_every_test_was_applied_by_each_of_its_readers(platform: Platform) -> None:
    platform.settle()
    verdict = gather.events_conserved(platform)
    assert verdict.kept, verdict


def test_every_dossier_had_a_legal_life(platform: Platform) -> None:
    verdict = gather.lives_legal(platform)
    assert verdict.kept, verdict


def test_every_verified_file_is_there_with_its_bytes(platform: Platform) -> None:
    verdict = gather.files_whole(platform)
    assert verdict.kept, verdict


def test_no_deadline_fired_before_its_instant_or_twice(platform: Platform) -> None:
    verdict = gather.deadlines_kept(platform, late=TRAVELLED)
    assert verdict.kept, verdict
