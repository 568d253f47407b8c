"""``python -m espace_stack.configuring`` writes ``docs/operations/configure.md``: every setting.

Names, programs and defaults come from the settings classes; only what a setting means is written here.
"""

import importlib
from dataclasses import MISSING, Field, fields
from typing import Any, Final

from espace_stack.layout import ROOT, SERVICES, SYNTHETIC, WEB

PAGE: Final = ROOT / "docs" / "operations" / "configure.md"

MEANINGS: Final = {
    "amqp_url": "the broker, with user and password",
    "bucket": "the bucket of the files",
    "clamd_address": "the malware scanner, `host:port` or a socket's path; without one nothing is scanned",
    "clients_file": "OpenID clients, JSON as in `stack/espace_stack/clients.json`",
    "client_secret": "proves the service to identity",
    "confirmation_key": "links of 24 hours are derived with it; 32 characters at least",
    "database_pool_size": "connections of one process",
    "database_url": "the service's own database, with role and password",
    "documents_url": "documents' API, inside",
    "dossier_url": "dossier's API, inside",
    "email_code_level": "assurance level of the code by e-mail",
    "environment": "`production`, `demo` or `test`; production refuses shifted legal time",
    "forms_per_minute": "form posts and failed client authentications allowed per address",
    "gateway_url": "where the synthetic citizen reaches the gateway, if not at its public address",
    "identity_url": "identity's API, inside",
    "idle_seconds": "pause of documents' loops when there is nothing to do",
    "interval_seconds": "how often the synthetic citizen files",
    "legal_clock_file": "the offset of legal time, JSON; for demonstrations",
    "log_level": "",
    "login_fields": "what the synthetic citizen types, a line each: `name=value`",
    "mail_from": "the sender people see; takes the bounces",
    "mail_lease_seconds": "how long a message stays with a worker that does not report back",
    "mail_retry_scale": "multiplies the pauses between attempts; 1 outside tests",
    "max_files_per_dossier": "",
    "max_upload_bytes": "of one file",
    "national_number_key": "base64 of 32 bytes: wraps every citizen's key; **without it nobody is found**",
    "notifier_url": "notifier's API, inside",
    "objects_access_key": "the S3 store's, for the bucket alone",
    "objects_secret_key": "its secret half",
    "objects_url": "the S3 store, inside",
    "event_key": "P-256 keys (PEM, one after the other) for what outsiders are told: the first signs",
    "otlp_endpoint": "receiver of traces; without one there are none",
    "patience_seconds": "how long the synthetic citizen waits for its message",
    "procedure": "what the synthetic citizen files",
    "profile_url": "profile's API, inside",
    "public_url": "the gateway's origin as browsers see it, without a slash at the end",
    "register_secret": "bearer secret of the register",
    "register_url": "the National Register port",
    "scheduler_url": "scheduler's API, inside",
    "session_key": "seals the sessions; several lines, the newest first",
    "signing_keys": "RSA keys (PEM, one after the other): all are published, the first signs",
    "smtp_data_timeout_seconds": "the longest wait for the answer to DATA",
    "smtp_host": "the mail server",
    "smtp_password": "",
    "smtp_port": "",
    "smtp_security": "`none`, `starttls` or `tls`; the certificate is verified",
    "smtp_timeout_seconds": "the longest wait for any other answer",
    "smtp_username": "who we are at the mail server; only with TLS",
    "statement_key": "P-256 keys (PEM, one after the other) for statements: the first signs",
    "trace_sample_ratio": "which part of the traces is sampled",
    "upload_minutes": "how long a form for an upload is valid",
    "upstream_client_id": "who we are at the login source",
    "upstream_client_secret": "and the proof",
    "upstream_inside_url": "where our own calls reach the login source, if not at its issuer's address",
    "upstream_issuer": "the login source's issuer, as browsers see it",
    "upstream_status_url": "where the source says which means work; without one they are tried",
    "upstream_trusted": "whether the source may assert the national number",
    "vanished_seconds": "when an upload that its client may have left is looked at",
    "worker_port": "where a worker serves probes and metrics",
}
_HEAD = """\
# Every setting

Written by `python -m espace_stack.configuring` from the programs' own settings. A variable is `ESPACE_` and
the name in capitals; a secret comes as a file, named by the variable with `_FILE`. What is missing or wrong
is told at the start, all at once, and the program ends with status 2. *No default*: it has to be given.

| setting | programs | default | |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The page as it should be."""
    readers: dict[str, dict[str, Field[Any]]] = {}
    for program, package in (*SERVICES.items(), WEB, SYNTHETIC):
        module = importlib.import_module(f"{package}.settings")
        for field in fields(getattr(module, "WebSettings", None) or module.Settings):
            readers.setdefault(field.name, {})[program] = field
    lines = [
        f"| `{name}` | {_programs(found)} | {_default(found)} | {MEANINGS[name]} |"
        for name, found in sorted(readers.items())
    ]
    unread = MEANINGS.keys() - readers.keys()
    if unread:
        raise KeyError(f"no program reads {', '.join(sorted(unread))}")
    return _HEAD + "\n".join(lines) + "\n"


def _programs(found: dict[str, Field[Any]]) -> str:
    return "every service" if found.keys() >= SERVICES.keys() else ", ".join(found)


def _default(found: dict[str, Field[Any]]) -> str:
    """What most programs take; identity and web leave out what they have no use for."""
    defaults = [field.default for field in found.values()]
    if MISSING in defaults:
        return "*no default*"
    return f"`{defaults[0]}`" if defaults[0] not in (None, "") else "none"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} is as the settings are")
