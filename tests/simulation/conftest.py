"""A broker's virtual host for the tests that ask the real one."""

from shared.tests.bus.conftest import vhost

__all__ = ["vhost"]
