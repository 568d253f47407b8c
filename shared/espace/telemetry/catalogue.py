"""Every log event there is, with its meaning. A name that is not here fails the tests.

Names are ``<thing>.<what happened>``; fields carry ids and facts, never personal data.
"""

EVENTS: dict[str, str] = {
    # programs
    "program.started": "A program is ready to work; fields: version, loops or port.",
    "program.stopping": "SIGTERM or SIGINT arrived; work in hand is finished first.",
    "program.stopped": "A program ended by itself.",
    "program.failed": "A program could not start, or a migration failed.",
    "library.message": "A library logged something; field: message.",
    # HTTP
    "http.request": "A request was answered; fields: method, route, status, duration_ms.",
    "http.failed": "A request failed by a fault of ours; the answer was 500 with the request id.",
    "http.unavailable": "A request was answered with 503 because something we need is away.",
    "auth.refused": "A token was refused; field: reason.",
    "auth.keys_fetched": "The signing keys of identity were fetched.",
    "auth.keys_stale": "The signing keys could not be fetched; the ones in hand are used on.",
    "auth.service_token_issued": "A token for calls to another service was obtained; field: audience.",
    "idempotency.replayed": "A repeated request got the stored answer.",
    "call.failed": "A call to another service failed; fields: audience, status, reason.",
    # bus
    "relay.published": "Events of the outbox were confirmed by the broker; field: count.",
    "relay.interrupted": "Publishing stopped; it starts again after a pause; field: reason.",
    "relay.refused": "A reader's queue is full; events of the type wait; fields: type, seconds.",
    "relay.blocked": "The broker asked publishers to wait.",
    "relay.unblocked": "The broker takes messages again.",
    "leader.gained": "This worker leads the loop from now on.",
    "leader.lost": "This worker does not lead the loop any more.",
    "consumer.connected": "The consumer listens to its queue.",
    "consumer.interrupted": "The consumer lost its connection; it starts again after a pause.",
    "consumer.waiting": "The consumer takes no event while the database is away; field: reason.",
    "consumer.handled": "An event was handled and committed; fields: type, event_id.",
    "consumer.duplicate": "An event came again and was acknowledged without effect.",
    "consumer.retried": "An event could not be handled now and waits in a retry tier; field: tier.",
    "consumer.parked": "An event cannot be handled; it went to the dead letters; field: reason.",
    "consumer.stale_ack": "An acknowledgement came after its connection had ended; the event comes again.",
    "dead_letter.replayed": "A dead letter was put back into its queue.",
    "loop.failed": "One turn of a loop failed; it goes on after a pause; fields: loop, error.",
    "loop.finished": "A loop ended because the program stops.",
    "migration.awaited": "A program waits for another to migrate its database; field: reason.",
    "migration.applied": "The database is at the revision the program needs; field: revision.",
    # identity
    "login.started": "A citizen chose a means and was sent upstream; field: means.",
    "login.succeeded": "A citizen is logged in; fields: citizen_id, means, level.",
    "login.failed": "A login did not succeed; fields: means, reason.",
    "logout.succeeded": "A session ended at the citizen's wish.",
    "token.reuse_detected": "A refresh token was used twice; its family is revoked.",
    "token.issued": "Tokens were issued; fields: client_id, grant.",
    "token.refused": "A token request was refused; fields: client_id, error.",
    # profile
    "email.confirmation_requested": "A citizen gave a private address; a link is on its way.",
    "email.confirmed": "The link was used; the address is the citizen's.",
    "email.confirmation_refused": "A link was not accepted; field: reason.",
    # dossier
    "dossier.created": "A draft was opened.",
    "dossier.submitted": "A dossier was deposited.",
    "dossier.refused": "A deposit was refused; field: reason.",
    "dossier.withdrawn": "A dossier was withdrawn by its citizen.",
    "information_request.opened": "A request for information was opened.",
    "information_request.answered": "A request for information was answered.",
    "information_request.lapsed": "A request for information ended without an answer.",
    # documents
    "upload.signed": "A form for one upload was signed.",
    "upload.verified": "An uploaded file was verified and kept.",
    "upload.refused": "An uploaded file was refused; field: reason.",
    "upload.swept": "An upload that its client left was verified or removed.",
    "upload.not_removed": "An object of a decided upload stays until the sweeper removes it; field: reason.",
    "upload.not_swept": "The sweeper stopped because the store does not answer; it goes on after a pause.",
    "deposit.sealed": "The manifest of a deposit is in the store; fields: dossier_id, event_id.",
    "deposit.document_differs": "A deposit names a document that is not held as it says: look at it.",
    "document.scanned": "The malware scan of a document ended; field: outcome.",
    "document.generated": "A declaration or receipt was rendered.",
    "scanner.unavailable": "The malware scanner does not answer.",
    # notifier
    "message.sent": "A message was taken by the mail server.",
    "message.postponed": "The mail server does not take the message now; it is tried again.",
    "message.failed": "A message cannot be delivered.",
    "message.not_sent": "A message lost its reason before it was sent; field: reason.",
    "message.requeued": "An operator had a message tried again; fields: by, because, reason it had not left.",
    # synthetic citizen
    "synthetic.succeeded": "The platform filed a dossier with itself.",
    "synthetic.failed": "The platform could not file a dossier with itself; fields: step, reason.",
    # deadline-scheduler
    "deadline.kept": "A deadline is kept or moved.",
    "deadline.withdrawn": "A deadline is withdrawn.",
    "deadline.fired": "Due deadlines and reminders were fired; field: count.",
}
