"""The pytest plugin: real servers, fresh databases, the mailbox, the whole platform and a browser."""

from espace_stack.testing.browser import (
    PageFactory,
    browser,
    chromium,
    page_factory,
    pytest_runtest_makereport,
)
from espace_stack.testing.logs import _plain_logs
from espace_stack.testing.mailbox import mailbox, mailbox_part
from espace_stack.testing.platform import Platform, _platform, _servers, platform
from espace_stack.testing.repeat import pytest_addoption, pytest_configure, pytest_generate_tests
from espace_stack.testing.servers import (
    FreshDatabase,
    Objects,
    _templates,
    amqp_url,
    fresh_database,
    objects,
    parts,
)

__all__ = [
    "FreshDatabase",
    "Objects",
    "PageFactory",
    "Platform",
    "_plain_logs",
    "_platform",
    "_servers",
    "_templates",
    "amqp_url",
    "browser",
    "chromium",
    "fresh_database",
    "mailbox",
    "mailbox_part",
    "objects",
    "page_factory",
    "parts",
    "platform",
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_makereport",
]
