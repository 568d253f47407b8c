"""The real servers: PostgreSQL, RabbitMQ, an S3 store."""

from espace_stack.parts.objects import ObjectStore
from espace_stack.parts.postgres import Postgres
from espace_stack.parts.rabbitmq import RabbitMQ

__all__ = ["ObjectStore", "Postgres", "RabbitMQ"]
