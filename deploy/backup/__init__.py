"""Backup and restore where no operator does it: the databases to any instant, the objects by their hash.

``python -m deploy.backup`` lists the commands; ``docs/operations/backup.md`` says when to use which.
"""
