"""The transaction of a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import current_app, g

from espace.db import Database, UnitOfWork

EXTENSION = "espace.database"


def database() -> Database:
    """The database of the app in hand."""
    return cast(Database, current_app.extensions[EXTENSION])


@contextmanager
def transaction() -> Iterator[UnitOfWork]:
    """The unit of work of the request: the one that is open (``@idempotent`` opens it), or a new one.

    A new one commits at the end of the block, one that was open when its owner ends.
    """
    unit: UnitOfWork | None = g.get("espace_unit")
    if unit is not None:
        yield unit
        return
    with database().transaction() as unit:
        g.espace_unit = unit
        try:
            yield unit
        finally:
            g.pop("espace_unit", None)
