"""Events between services. Publishing is ``UnitOfWork.record``; the loops are in :mod:`espace.bus.relay`
(``Relay``) and :mod:`espace.bus.consumer` (``Consumer``, ``Handler``), apart, because API processes never
speak AMQP.
"""

from espace.bus.event import Event, Incoming, rfc3339

__all__ = ["Event", "Incoming", "rfc3339"]
