"""Parts of a platform that run an altered program."""

from espace_stack.part import Part
from espace_stack.process import base_environment


def start_altered(part: Part, alteration: str) -> None:
    """Stop ``part`` and start its program as ``alteration`` has it, under the same record; ready as ever."""
    part.stop()
    python, minus_m, package, *arguments = part.command()
    command = [python, minus_m, "tests.chaos.altered", alteration, package, *arguments]
    part.process.spawn(command, environment=base_environment() | part.environment())
    part.wait_ready()


def restore(part: Part) -> None:
    """The program as it is, whatever runs."""
    part.kill()
    part.start()
