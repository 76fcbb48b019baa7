"""What the environment decides about the sandbox."""

from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Read from environment variables named like the fields, in any case."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    sandbox_host: str = "127.0.0.1"
    sandbox_port: Port = 8001
    sandbox_smtp_port: Port = 1025
    sandbox_url: AnyHttpUrl | None = None
    """Where a browser finds the sandbox; needed when that is not the address it listens on."""

    webhook_url: AnyHttpUrl | None = None
    """Where events are delivered. Without it nobody is told."""
    stripe_webhook_secrets: Annotated[list[SecretStr], NoDecode] = []
    """Comma-separated. The first one signs; the others are the shop's business during a rotation."""
    webhook_backoff_seconds: Annotated[float, Field(gt=0, le=60)] = 0.2
    """The pause before the second delivery attempt; it doubles with every further one."""

    @field_validator("stripe_webhook_secrets", mode="before")
    @classmethod
    def split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [secret.strip() for secret in value.split(",") if secret.strip()]
        return value

    @model_validator(mode="after")
    def webhooks_are_signed(self) -> Self:
        if self.webhook_url is not None and not self.stripe_webhook_secrets:
            raise ValueError("WEBHOOK_URL needs STRIPE_WEBHOOK_SECRETS to sign with")
        return self

    @property
    def public_url(self) -> str:
        """The sandbox's own base address, without a trailing slash."""
        if self.sandbox_url is not None:
            return str(self.sandbox_url).rstrip("/")
        host = "localhost" if self.sandbox_host in {"0.0.0.0", "::"} else self.sandbox_host  # noqa: S104 -- compared, not bound
        return f"http://{host}:{self.sandbox_port}"
