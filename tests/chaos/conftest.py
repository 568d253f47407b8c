"""A bus of its own for each scenario: a database, a virtual host, processes that can be killed."""

from shared.tests.bus.conftest import bus, vhost

__all__ = ["bus", "vhost"]
