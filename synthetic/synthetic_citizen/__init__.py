"""The synthetic citizen: files a small dossier every few minutes, as any client of the APIs does.

It shares nothing with the services but the kit's plumbing (settings, logs, loops), and speaks with them
through the gateway alone. What it does counts in no statistics: its client's name marks it.
"""
