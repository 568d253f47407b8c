"""Only uploads are kept, generated papers are not; a document and a manifest know the request that caused them."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "DELETE FROM documents WHERE kind <> 'upload'",
    """ALTER TABLE documents
        DROP COLUMN kind,
        ADD COLUMN request_id text,
        DROP CONSTRAINT ck_documents_scan,
        ADD CONSTRAINT ck_documents_scan CHECK (scan IN ('pending', 'clean', 'infected', 'not_scanned'))""",
    "ALTER TABLE manifests ADD COLUMN request_id text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
