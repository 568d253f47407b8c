"""What other administrations are told: their own queues, fed in order from the event log of its owner.

They never bind to our own exchange, where one full queue beside ours would make the broker refuse what ours
had taken. Each has a row in the database of the service that tells it, with a mark: how far in the log it
was served. A queue that is full, or gone, keeps its mark where it is, and nobody else's.
"""
