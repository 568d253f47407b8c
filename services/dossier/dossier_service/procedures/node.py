"""A place in a data file that knows where it is, so that every mistake can be named."""

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class ProcedureFileError(Exception):
    """A data file is wrong: its name and every mistake found in it."""

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(f"{name}:\n" + "\n".join(f"  {problem}" for problem in self.problems))


class _Wrong(Exception):
    """Leaves the building of one node; the problem is noted already."""


class Node:
    """A mapping in the file. As a context it checks, at its end, that every key was asked for."""

    def __init__(self, data: Any, path: str, problems: list[str]) -> None:
        self._data = data
        self._path = path
        self._problems = problems
        self._asked: set[str] = set()

    def __enter__(self) -> "Node":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None and isinstance(self._data, dict):
            for key in self._data.keys() - self._asked:
                self.problem(str(key), "is not known here")
        return kind is not None and issubclass(kind, _Wrong)

    def problem(self, name: str, text: str) -> None:
        """Note a mistake at the entry ``name`` of this node ("" for the node itself)."""
        where = ".".join(part for part in (self._path, name) if part) or "the file"
        self._problems.append(f"{where}: {text}")

    def _fail(self, name: str, text: str) -> _Wrong:
        self.problem(name, text)
        return _Wrong()

    def mapping(self) -> dict[str, Any]:
        """The node's own data, which must be a mapping."""
        if not isinstance(self._data, dict):
            raise self._fail("", "must be a mapping")
        self._asked.update(map(str, self._data))
        return self._data

    def _get(self, name: str, required: bool = True) -> Any:
        if not isinstance(self._data, dict):
            raise self._fail("", "must be a mapping")
        self._asked.add(name)
        value = self._data.get(name)
        if value is None and required:
            raise self._fail(name, "is missing")
        return value

    def string(self, name: str) -> str:
        """A text that is not empty."""
        value = self._get(name)
        if not isinstance(value, str) or not value.strip():
            raise self._fail(name, "must be a text")
        return value.strip()

    def optional_string(self, name: str) -> str | None:
        """A text, or None when the entry is missing."""
        return self.string(name) if self._get(name, required=False) is not None else None

    def key(self) -> str:
        """The entry ``key``: small letters, digits, ``_`` and ``-``."""
        value = self.string("key")
        if not re.fullmatch(r"[a-z0-9_-]+", value):
            raise self._fail("key", f"{value!r} may have small letters, digits, _ and - only")
        return value

    def scalar(self, name: str) -> str | bool:
        """A text or a boolean."""
        value = self._get(name)
        if not isinstance(value, str | bool):
            raise self._fail(name, "must be a text or true/false")
        return value

    def integer(self, name: str, *, minimum: int) -> int:
        """A whole number of at least ``minimum``."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise self._fail(name, f"must be a whole number of at least {minimum}")
        return value

    def optional_integer(self, name: str, *, minimum: int) -> int | None:
        """A whole number, or None when the entry is missing."""
        return self.integer(name, minimum=minimum) if self._get(name, required=False) is not None else None

    def boolean(self, name: str, *, default: bool) -> bool:
        """true or false."""
        value = self._get(name, required=False)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._fail(name, "must be true or false")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed texts."""
        value = self._get(name)
        if value not in allowed:
            raise self._fail(name, f"{value!r} is none of {', '.join(allowed)}")
        return str(value)

    def strings(self, name: str, *, required: bool = False) -> list[str]:
        """A list of texts."""
        value = self._get(name, required=required) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._fail(name, "must be a list of texts")
        if required and not value:
            raise self._fail(name, "must not be empty")
        return value

    def child(self, name: str) -> "Node":
        """The node below ``name``."""
        value = self._get(name)
        return Node(value, ".".join(part for part in (self._path, name) if part), self._problems)

    def optional(self, name: str, build: Callable[["Node"], T | None]) -> T | None:
        """What ``build`` makes of the node below ``name``, or None when the entry is missing."""
        return build(self.child(name)) if self._get(name, required=False) is not None else None

    def children(self, name: str, *, required: bool = True) -> list["Node"]:
        """The nodes of the list below ``name``."""
        value = self._get(name, required=required)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._fail(name, "must be a list")
        path = ".".join(part for part in (self._path, name) if part)
        return [Node(item, f"{path}[{index}]", self._problems) for index, item in enumerate(value)]
