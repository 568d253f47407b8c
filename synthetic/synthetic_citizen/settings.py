"""What the environment tells the synthetic citizen."""

from dataclasses import dataclass, field

from espace.config import Environment, SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the platform is, how to log in there, and how often to try.

    Attributes:
        public_url: the gateway's origin as browsers see it.
        gateway_url: where this program reaches it, if not there.
        upstream_issuer: the login source's origin as browsers see it.
        upstream_inside_url: where this program reaches that, if not there.
        client_secret: of the client ``synthetic``.
        login_fields: what to type into the forms on the way, a line each: ``name=value``. A button is pressed
            by its name and value in the same way.
        procedure: what is filed: it is always open, asks for a ``subject`` and a ``question``, and needs no
            piece.
        patience_seconds: how long the receipt's message may be on its way.
    """

    public_url: str
    upstream_issuer: str
    client_secret: str = field(repr=False)
    login_fields: str = field(repr=False)
    gateway_url: str = ""
    upstream_inside_url: str = ""
    procedure: str = "question-administration"
    interval_seconds: float = 300.0
    patience_seconds: float = 120.0
    environment: Environment = "production"
    worker_port: int = 0

    def __post_init__(self) -> None:
        if not all("=" in line for line in self.login_fields.splitlines()):
            raise SettingsError("ESPACE_LOGIN_FIELDS: each line is name=value")

    @property
    def answers(self) -> dict[str, str]:
        """``login_fields`` by name."""
        lines = (line.partition("=") for line in self.login_fields.splitlines())
        return {name: value for name, _, value in lines}

    @property
    def inside(self) -> dict[str, str]:
        """Public origin → the address that leads there from here."""
        pairs = ((self.public_url, self.gateway_url), (self.upstream_issuer, self.upstream_inside_url))
        return {public: inside for public, inside in pairs if inside}
