"""The kit's exceptions. Each is mapped once: to HTTP in ``espace.http``, to retry-or-park in the bus."""


class EspaceError(Exception):
    """Whatever the kit raises on purpose."""


class TransientError(EspaceError):
    """It may succeed later: the message goes to the next retry tier, a request gets 503."""


class DependencyDown(TransientError):
    """A part we stand on is away: a consumer stops taking messages and waits instead of spending tries."""


class PermanentError(EspaceError):
    """It will never succeed: the message is parked among the dead letters, with this text as the reason."""
