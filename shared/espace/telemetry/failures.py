"""What a log tells of an exception: its kind and where it happened, and of a database's no text.

The messages of a driver quote rows (``Failing row contains (…)``, ``invalid input syntax …: "…"``), those of
SQLAlchemy repeat them and add the parameters. Of such an error only names are told: class, SQLSTATE, table,
column, constraint, and the statement with its placeholders. Local variables are never told.
"""

import traceback

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from structlog.typing import ExcInfo


def tell(error: BaseException) -> str:
    """One error in a line or two, without data of a row."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, SQLAlchemyError):
        statement, driver = getattr(error, "statement", None), getattr(error, "orig", None)
        return "\n".join(
            [
                name + (f" of {tell(driver)}" if isinstance(driver, BaseException) else ""),
                *([f"SQL: {statement}"] if statement else []),
            ]
        )
    if isinstance(error, psycopg.Error):
        if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
            return f"{name}: {error}"  # the client's own words: why there is no connection
        names = {
            "sqlstate": error.sqlstate,
            "table": error.diag.table_name,
            "column": error.diag.column_name,
            "constraint": error.diag.constraint_name,
        }
        return " ".join([name, *(f"{key}={value}" for key, value in names.items() if value)])
    text = str(error)
    return f"{name}: {text}" if text else name


def render(exc_info: ExcInfo) -> str:
    """structlog's formatter of ``exc_info``: the error and what it came from, oldest first."""
    told: list[str] = []
    seen: set[int] = set()
    error: BaseException | None = exc_info[1]
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        told.append("".join(traceback.format_tb(error.__traceback__)) + tell(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\n".join(reversed(told))
