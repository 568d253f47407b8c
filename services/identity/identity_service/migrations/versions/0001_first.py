"""Citizens, sessions, tokens."""

from alembic import op
from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE citizens (
        id UUID NOT NULL, 
        number_hash BYTEA, 
        wrapped_key BYTEA, 
        facts BYTEA, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        disabled_at TIMESTAMP WITH TIME ZONE, 
        erased_at TIMESTAMP WITH TIME ZONE, 
        PRIMARY KEY (id), 
        UNIQUE (number_hash)
)""",
    """CREATE TABLE limits (
        bucket BYTEA NOT NULL, 
        minute INTEGER NOT NULL, 
        count INTEGER NOT NULL, 
        PRIMARY KEY (bucket, minute)
)""",
    """CREATE TABLE logins (
        id UUID NOT NULL, 
        browser_hash BYTEA NOT NULL, 
        request JSONB NOT NULL, 
        level INTEGER NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        means TEXT, 
        state_hash BYTEA, 
        nonce TEXT, 
        code_verifier TEXT, 
        sent_at TIMESTAMP WITH TIME ZONE, 
        PRIMARY KEY (id), 
        UNIQUE (state_hash)
)""",
    "CREATE INDEX ix_logins_expires_at ON logins (expires_at)",
    """CREATE TABLE logout_deliveries (
        id UUID NOT NULL, 
        client_id TEXT NOT NULL, 
        session_id UUID NOT NULL, 
        citizen_id UUID NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        attempts INTEGER NOT NULL, 
        next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        ended_at TIMESTAMP WITH TIME ZONE, 
        outcome TEXT, 
        PRIMARY KEY (id)
)""",
    """CREATE INDEX ix_logout_deliveries_due ON logout_deliveries (next_attempt_at) WHERE ended_at IS NULL""",
    """CREATE TABLE sessions (
        id UUID NOT NULL, 
        secret_hash BYTEA NOT NULL, 
        citizen_id UUID NOT NULL, 
        means TEXT NOT NULL, 
        level INTEGER NOT NULL, 
        amr TEXT[] NOT NULL, 
        auth_time TIMESTAMP WITH TIME ZONE NOT NULL, 
        seen_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        ended_at TIMESTAMP WITH TIME ZONE, 
        PRIMARY KEY (id), 
        UNIQUE (secret_hash), 
        FOREIGN KEY(citizen_id) REFERENCES citizens (id)
)""",
    "CREATE INDEX ix_sessions_citizen_id ON sessions (citizen_id)",
    """CREATE TABLE sources (
        issuer TEXT NOT NULL, 
        subject TEXT NOT NULL, 
        citizen_id UUID NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        PRIMARY KEY (issuer, subject), 
        FOREIGN KEY(citizen_id) REFERENCES citizens (id)
)""",
    "CREATE INDEX ix_sources_citizen_id ON sources (citizen_id)",
    """CREATE TABLE token_families (
        id UUID NOT NULL, 
        session_id UUID NOT NULL, 
        citizen_id UUID NOT NULL, 
        client_id TEXT NOT NULL, 
        scope TEXT NOT NULL, 
        level INTEGER NOT NULL, 
        amr TEXT[] NOT NULL, 
        auth_time TIMESTAMP WITH TIME ZONE NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        revoked_at TIMESTAMP WITH TIME ZONE, 
        revoked_because TEXT, 
        PRIMARY KEY (id), 
        FOREIGN KEY(session_id) REFERENCES sessions (id), 
        FOREIGN KEY(citizen_id) REFERENCES citizens (id)
)""",
    "CREATE INDEX ix_token_families_citizen_id ON token_families (citizen_id)",
    "CREATE INDEX ix_token_families_expires_at ON token_families (expires_at)",
    "CREATE INDEX ix_token_families_session_id ON token_families (session_id)",
    """CREATE TABLE authorization_codes (
        code_hash BYTEA NOT NULL, 
        family_id UUID NOT NULL, 
        client_id TEXT NOT NULL, 
        redirect_uri TEXT NOT NULL, 
        nonce TEXT, 
        code_challenge TEXT NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        used_at TIMESTAMP WITH TIME ZONE, 
        PRIMARY KEY (code_hash), 
        FOREIGN KEY(family_id) REFERENCES token_families (id)
)""",
    "CREATE INDEX ix_authorization_codes_created_at ON authorization_codes (created_at)",
    "CREATE INDEX ix_authorization_codes_family_id ON authorization_codes (family_id)",
    """CREATE TABLE refresh_tokens (
        token_hash BYTEA NOT NULL, 
        family_id UUID NOT NULL, 
        created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
        used_at TIMESTAMP WITH TIME ZONE, 
        PRIMARY KEY (token_hash), 
        FOREIGN KEY(family_id) REFERENCES token_families (id)
)""",
    "CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id)",
)


def upgrade() -> None:
    create_kit_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)
