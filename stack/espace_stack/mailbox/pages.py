"""The page to read the messages, and the JSON side for tests."""

from typing import Any

from flask import Flask, Response, abort, render_template, request

from espace_stack.mailbox.smtp import MODES, Switch
from espace_stack.mailbox.store import MessageStore


def create_app(store: MessageStore, switch: Switch) -> Flask:
    """The mailbox's pages over a store and a switch."""
    app = Flask(__name__)

    @app.get("/")
    def inbox() -> str:
        to = request.args.get("to") or None
        return render_template("inbox.html", messages=store.all(to)[::-1], to=to)

    @app.get("/messages/<name>")
    def message(name: str) -> str:
        return render_template("message.html", message=_found(store, name))

    @app.get("/messages/<name>/raw")
    def raw(name: str) -> Response:
        _found(store, name)
        return Response(store.raw(name), content_type="text/plain; charset=utf-8")

    @app.get("/api/messages")
    def list_messages() -> list[dict[str, Any]]:
        return store.all(request.args.get("to") or None)

    @app.get("/api/messages/<name>")
    def one_message(name: str) -> dict[str, Any]:
        return _found(store, name)

    @app.delete("/api/messages")
    def clear() -> tuple[str, int]:
        store.clear()
        return "", 204

    @app.post("/api/switches")
    def set_switch() -> tuple[dict[str, Any], int]:
        wish = request.get_json()
        mode, times = wish.get("mode"), wish.get("times")
        if mode not in MODES or not (times is None or (isinstance(times, int) and times > 0)):
            return {"detail": f"mode is one of {', '.join(MODES)}; times a positive number or absent"}, 422
        switch.set(mode, times)
        return {"mode": mode, "times": times}, 200

    @app.get("/api/switches")
    def show_switch() -> dict[str, Any]:
        return {"mode": switch.mode, "times": switch.times}

    @app.get("/livez")
    def livez() -> str:
        return "ok"

    return app


def _found(store: MessageStore, name: str) -> dict[str, Any]:
    message = store.get(name)
    if message is None:
        abort(404)
    return message
