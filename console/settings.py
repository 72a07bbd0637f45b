"""What the console is told: its address, who signs people in, how long a session lives."""

from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from console.addresses import Network, networks_of
from fleet.settings import Settings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ConsoleSettings(Settings):
    """`console_login` is "oidc" for a real school. "local" is for `make up`: whoever has the link chooses a
    person; it serves loopback only, and nobody at all once payouts holds a live key.

    `console_url`: where browsers find the console, such as https://console.school.example; forms from
    elsewhere are refused. Roles and the wallet of a holder are read from claims of the ID token.
    """

    console_host: str = "127.0.0.1"
    console_port: int = Field(default=8090, ge=0, le=65535)
    console_url: str = ""
    console_login: Literal["oidc", "local"] = "oidc"
    console_local_secret: SecretStr = SecretStr("")
    console_oidc_issuer: str = ""
    console_oidc_client_id: str = ""
    console_oidc_client_secret: SecretStr = SecretStr("")
    console_oidc_scopes: str = "openid profile"
    # What the audit calls a person: a claim that people cannot change themselves.
    console_oidc_name_claim: str = "preferred_username"
    console_oidc_roles_claim: str = "hobbs_roles"
    console_oidc_wallet_claim: str = "hobbs_wallet"
    # Networks of the proxies in front of the console, such as "10.1.0.0/16": theirs is X-Forwarded-For.
    console_trusted_proxies: str = ""
    console_idle_minutes: int = Field(default=30, ge=1, le=1_440)
    console_session_hours: int = Field(default=12, ge=1, le=72)
    console_answer_within_s: float = Field(default=20.0, gt=0, le=60)

    @field_validator("console_trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks_of(text)
        return text

    @model_validator(mode="after")
    def _can_be_served(self) -> Self:
        if self.console_login == "local":
            if self.console_host not in LOOPBACK:
                raise ValueError(
                    "the local login serves this machine only: HOBBS_CONSOLE_HOST must be loopback"
                )
            if len(self.console_local_secret.get_secret_value()) < 16:
                raise ValueError("HOBBS_CONSOLE_LOCAL_SECRET has at least 16 characters")
            return self
        missing = [
            name
            for name in ("console_url", "console_oidc_issuer", "console_oidc_client_id")
            if not getattr(self, name)
        ]
        if missing:
            raise ValueError(
                f"with HOBBS_CONSOLE_LOGIN=oidc set {', '.join(f'HOBBS_{n.upper()}' for n in missing)}"
            )
        for name in ("console_url", "console_oidc_issuer"):
            address = urlsplit(getattr(self, name))
            if address.scheme != "https" and address.hostname not in LOOPBACK:
                raise ValueError(f"HOBBS_{name.upper()} begins with https://")
        return self

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        return networks_of(self.console_trusted_proxies)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the console, as a browser's Origin header has them."""
        if not self.console_url:
            return f"http://127.0.0.1:{self.console_port}"
        parts = urlsplit(self.console_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https://")
