"""The embedded stack: starts, stops, kills and restarts every real part without containers."""

from espace_stack.part import FailedPart, Part

__all__ = ["FailedPart", "Part"]
