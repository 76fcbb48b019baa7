"""Settings of a shop under test."""

import os
from pathlib import Path

from pydantic import SecretStr

from app.settings import Environment, Settings
from tests.support.sandbox import WEBHOOK_SECRET, RunningSandbox


def shop_settings(
    database_url: str, redis_url: str, sandbox: RunningSandbox, media_store: Path = Path(os.devnull, "media")
) -> Settings:
    """Pictures have no place unless one is named."""
    return Settings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(database_url),
        database_pool_size=20,
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr("a secret for tests only, of forty bytes.."),
        stripe_api_key=SecretStr("sk_test_emporium"),
        stripe_api_base=sandbox.url,
        stripe_webhook_secrets=(SecretStr(WEBHOOK_SECRET),),
        smtp_url=SecretStr(sandbox.smtp_url),
        media_store=str(media_store),
        response_cache_seconds=0,  # a test that is rolled back tells no cache to forget it
        rate_limit_enabled=False,
        log_level="WARNING",
        log_format="console",
    )
