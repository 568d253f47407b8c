"""The least a Flask program can do with two inserts, on the server and with the settings of ours.

``python -m benchmarks.bare api --port …``
"""

from dataclasses import dataclass
from typing import Any

from flask import Flask, jsonify, request
from sqlalchemy import create_engine, text

from espace.config import ServiceSettings
from espace.program import Program

TABLES = """
    CREATE TABLE bench_notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
    CREATE TABLE bench_lines (note_id bigint NOT NULL REFERENCES bench_notes (id), line text NOT NULL)
"""
NOTE = text("INSERT INTO bench_notes (body) VALUES (:body) RETURNING id")
LINE = text("INSERT INTO bench_lines (note_id, line) VALUES (:note, :line)")


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """Nothing of its own."""


def create_app(settings: Settings) -> Flask:
    """One route; no token, no key, no validation, no events."""
    app = Flask(__name__)
    engine = create_engine(settings.database_url, pool_size=settings.database_pool_size, max_overflow=0)

    @app.get("/readyz")
    def ready() -> str:
        return "ok"

    @app.post("/notes")
    def post_note() -> Any:
        body = request.get_json()["procedure"]
        with engine.begin() as connection:
            note = connection.execute(NOTE, {"body": body}).scalar_one()
            connection.execute(LINE, {"note": note, "line": body})
        return jsonify(id=note), 201

    return app


if __name__ == "__main__":
    Program("bare", settings=Settings, api="benchmarks.bare:create_app").main()
