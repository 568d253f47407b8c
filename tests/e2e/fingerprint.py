"""Everything the platform keeps: all rows of its seven databases and what is in the bucket."""

from collections.abc import Mapping
from typing import Any

from espace_stack.layout import BUCKET, SERVICES, WEB
from espace_stack.testing.platform import Platform

PASSING: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("web", "sessions"): ("seen_at", "sealed"),
    ("identity", "sessions"): ("seen_at",),
    ("identity", "refresh_tokens"): (),
    ("identity", "limits"): (),
}
"""What technical time changes while somebody only reads: columns of a table, or with none the whole table.

A session notes when it was last seen and holds tokens, which are exchanged after five minutes; identity then
keeps the new one's hash. Identity counts its forms by the minute and forgets old minutes.
"""


def fingerprint(platform: Platform) -> dict[str, list[str]]:
    """Table → its rows as text, in order; the bucket → its objects."""
    found = {}
    for service in (*SERVICES, WEB[0]):
        tables = "select tablename from pg_tables where schemaname = 'public' order by 1"
        for (table,) in platform.rows(service, tables):
            passing = PASSING.get((service, table))
            if passing != ():
                found[f"{service}.{table}"] = _rows(platform, service, table, passing or ())
    assert len(found) >= 35
    objects = platform.store.list_objects(BUCKET, recursive=True)
    found["bucket"] = sorted(f"{entry.object_name} {entry.etag} {entry.size}" for entry in objects)
    return found


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, Any]:
    """What has come and gone, by table."""
    return {
        table: sorted(set(before.get(table, ())) ^ set(after.get(table, ())))
        for table in before.keys() | after.keys()
        if before.get(table) != after.get(table)
    }


def _rows(platform: Platform, service: str, table: str, passing: tuple[str, ...]) -> list[str]:
    left = "".join(f" - '{column}'" for column in passing)
    query = f'select (to_jsonb(t){left})::text from "{table}" t'
    return sorted(row for (row,) in platform.rows(service, query))
