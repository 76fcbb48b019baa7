"""Every knob of the service, read from the environment (and `.env`) when `Settings()` is called, never at import."""

import os
import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from app.core.security import derive_key
from app.core.signing_keys import SigningKeys

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")  # as browsers write it

PLACEHOLDER_PREFIX = "development-only"
MINIMUM_SECRET_BYTES = 32  # RFC 7518 §3.2: an HS256 key is at least as long as its hash


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def _split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"a secret needs at least {MINIMUM_SECRET_BYTES} bytes")
    return secret


def _signing_keys(pem: SecretStr) -> SecretStr:
    if pem.get_secret_value():
        SigningKeys.from_pem(pem.get_secret_value())
    return pem


def _exact_origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("an origin is https://shop.example.com or http://localhost:3000: no path, no pattern")
    return origin


def _below_public_url(settings: dict[str, Any]) -> str:
    return f"{settings['public_url'].rstrip('/')}/media"


CommaSeparated = BeforeValidator(_split_commas)
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]


class Variables(BaseSettings):
    """Read from the environment, then from `.env`, then from the files of the directory that SECRETS_DIR names.

    Such a file is called like its variable and holds nothing but the value: what Docker and Kubernetes make of a
    secret, which then shows neither in `docker inspect` nor in the environment of a child process.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same, of a directory known at import
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = SecretsSettingsSource(settings_cls, os.environ.get("SECRETS_DIR") or None)
        return init_settings, env_settings, dotenv_settings, files


class Settings(Variables):
    """The service's configuration; `.env.example` explains each variable.

    The environment defaults to production, so that forgetting it is safe: production refuses placeholders.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Environment = Environment.PRODUCTION
    public_url: str = "http://localhost:8000"
    sandbox_url: str | None = None
    media_url: str = Field(default_factory=_below_public_url)
    media_store: str = Field(default="media", min_length=1, description="A directory, or s3://bucket/folder")
    trusted_hosts: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = ("localhost", "127.0.0.1", "[::1]")
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(_exact_origin)], ...], NoDecode, CommaSeparated] = ()
    max_body_bytes: int = Field(default=1_048_576, gt=0)
    max_upload_bytes: int = Field(default=10_485_760, gt=0)
    request_timeout: float = Field(default=30, gt=0, description="Seconds until an answer has to begin")

    # PostgreSQL
    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1)
    database_timeout: float = Field(default=3, gt=0, description="Seconds for one statement or a free connection")

    # Redis (or Valkey): limits, and the broker of the worker
    redis_url: SecretStr

    # The response cache
    response_cache_seconds: float = Field(default=60, ge=0, description="How long an answer may be sent; 0 is off")
    response_cache_bytes: int = Field(default=32_000_000, ge=0, description="Memory for answers, in each process")

    # Signing and tokens
    secret_key: Secret
    jwt_signing_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    encryption_keys: Annotated[tuple[Secret, ...], NoDecode, CommaSeparated] = ()
    access_token_minutes: int = Field(default=15, ge=1)
    refresh_token_days: int = Field(default=30, ge=1)
    verification_hours: int = Field(default=24, ge=1)
    password_reset_minutes: int = Field(default=30, ge=1, le=30)
    password_hashing_threads: int = Field(default=1, ge=1)

    # Payments
    stripe_api_key: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, CommaSeparated] = Field(min_length=1)
    payment_timeout: float = Field(default=10, gt=0, description="Seconds for one call to the provider")

    # Mail
    smtp_url: SecretStr
    mail_from: str = "Emporium <shop@example.com>"

    # The shop
    reservation_minutes: int = Field(default=15, ge=1)
    cart_days: int = Field(default=30, ge=1)
    home_country: str = Field(default="DE", pattern="^[A-Z]{2}$", description="Whose tax a cart shows at first")

    # The worker
    task_time_limit: int = Field(
        default=30, ge=2, description="Seconds; a task that dies is run again after four times this"
    )

    # Limits and logs
    rate_limit_enabled: bool = True
    reads_per_address: int = Field(default=5000, ge=1, description="In ten seconds, from one process")
    writes_per_address: int = Field(default=2000, ge=1, description="In ten seconds, from one process")
    web_concurrency: int = Field(default=1, ge=1, description="API processes that share the rate limits")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field(default="json", pattern="^(json|console)$")

    @property
    def visibility_timeout(self) -> int:
        """Seconds after which the broker hands out again what a dead worker held: longer than any task may take."""
        return 4 * self.task_time_limit

    @model_validator(mode="after")
    def _no_placeholders_in_production(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            for name in ("secret_key", "stripe_api_key", "database_url"):
                if PLACEHOLDER_PREFIX in getattr(self, name).get_secret_value():
                    raise ValueError(f"{name.upper()} still holds a placeholder; production needs a real secret")
            for name in ("stripe_webhook_secrets", "encryption_keys"):
                if any(PLACEHOLDER_PREFIX in secret.get_secret_value() for secret in getattr(self, name)):
                    raise ValueError(f"{name.upper()} still holds a placeholder; production needs a real secret")
            if not self.encryption_keys:
                raise ValueError("ENCRYPTION_KEYS is missing; production does not derive it from SECRET_KEY")
            if not self.jwt_signing_keys.get_secret_value():
                raise ValueError("JWT_SIGNING_KEYS is missing; `shop keys new` makes one")
        return self

    def encryption_secrets(self) -> tuple[str, ...]:
        """What personal data is encrypted with, the current secret first. Outside production one is made up."""
        keys = self.encryption_keys or (self.secret_key,)
        return tuple(key.get_secret_value() for key in keys)

    def signing_keys(self) -> SigningKeys:
        """What access tokens are signed with. Outside production a key derived from SECRET_KEY will do."""
        pem = self.jwt_signing_keys.get_secret_value()
        if pem:
            return SigningKeys.from_pem(pem)
        return SigningKeys.shared(derive_key(self.secret_key.get_secret_value(), "access-token"))
