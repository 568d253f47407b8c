"""The real servers: PostgreSQL, RabbitMQ, an S3 store."""

import os

from espace_stack.parts.objects import ObjectStore
from espace_stack.parts.postgres import Postgres
from espace_stack.parts.rabbitmq import RabbitMQ

__all__ = ["ObjectStore", "Postgres", "RabbitMQ", "in_containers", "kinds"]


def in_containers() -> bool:
    """Whether the environment wants the servers as containers."""
    return os.environ.get("STACK") == "containers"


def kinds() -> tuple[type[Postgres], type[RabbitMQ], type[ObjectStore]]:
    """What the three servers are made as."""
    if not in_containers():
        return Postgres, RabbitMQ, ObjectStore
    from espace_stack.parts.containers import ContainerObjects, ContainerPostgres, ContainerRabbitMQ

    return ContainerPostgres, ContainerRabbitMQ, ContainerObjects
