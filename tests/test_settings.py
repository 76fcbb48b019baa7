"""What the service accepts as its configuration, and what it refuses in production."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.cli import EXIT_CONFIGURATION, shop
from app.core.signing_keys import new_pem
from app.settings import MINIMUM_SECRET_BYTES, PLACEHOLDER_PREFIX, Environment, Settings

COMPLETE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql+asyncpg://shop:canary-password@db/shop",
    "REDIS_URL": "redis://cache:6379/0",
    "SECRET_KEY": "canary-key-of-more-than-thirty-two-bytes",
    "JWT_SIGNING_KEYS": new_pem(),
    "ENCRYPTION_KEYS": "canary-encryption-key-of-more-than-32-bytes, canary-key-of-last-year-with-more-than-32-bytes",
    "STRIPE_API_KEY": "sk_live_canary",
    "STRIPE_WEBHOOK_SECRETS": "whsec_canary_of_more_than_thirty_two_bytes, whsec_canary_that_replaces_the_other_one",
    "SMTP_URL": "smtp+starttls://shop:canary-password@mail:587",
}


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a .env file nor variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**COMPLETE, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return Settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> str:
    with pytest.raises(ValidationError) as refused:
        load(monkeypatch, **changes)
    assert "canary" not in str(refused.value)
    return str(refused.value)


def test_a_complete_configuration_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert settings.environment is Environment.PRODUCTION
    assert [secret.get_secret_value()[:16] for secret in settings.stripe_webhook_secrets] == [
        "whsec_canary_of_",
        "whsec_canary_tha",
    ]


def test_whoever_forgets_the_environment_is_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ENVIRONMENT=None).environment is Environment.PRODUCTION
    assert "SECRET_KEY still holds a placeholder" in refusal(
        monkeypatch, ENVIRONMENT=None, SECRET_KEY=f"{PLACEHOLDER_PREFIX}-secret-key-of-32-bytes-or-more"
    )


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "SMTP_URL"]
)
def test_what_has_no_safe_default_is_asked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    message = refusal(monkeypatch, **{name: None})

    assert name.lower() in message
    assert "Field required" in message


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS"]
)
@pytest.mark.parametrize("environment", Environment)
def test_placeholders_are_good_for_anything_but_production(
    monkeypatch: pytest.MonkeyPatch, name: str, environment: Environment
) -> None:
    changes: dict[str, Any] = {
        "ENVIRONMENT": environment,
        name: f"{COMPLETE[name]},{PLACEHOLDER_PREFIX}-of-32-bytes-or-more",
    }

    if environment is Environment.PRODUCTION:
        assert f"{name} still holds a placeholder; production needs a real secret" in refusal(monkeypatch, **changes)
    else:
        assert load(monkeypatch, **changes).environment is environment


@pytest.mark.parametrize("environment", Environment)
def test_production_encrypts_with_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    assert load(monkeypatch).encryption_secrets() == tuple(COMPLETE["ENCRYPTION_KEYS"].split(", "))

    if environment is Environment.PRODUCTION:
        assert "ENCRYPTION_KEYS is missing" in refusal(monkeypatch, ENCRYPTION_KEYS=None)
    else:
        settings = load(monkeypatch, ENVIRONMENT=environment, ENCRYPTION_KEYS=None)
        assert settings.encryption_secrets() == (COMPLETE["SECRET_KEY"],)


@pytest.mark.parametrize("environment", Environment)
def test_production_signs_with_a_key_that_others_need_not_know(
    monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> None:
    assert load(monkeypatch, ENVIRONMENT=environment).signing_keys().current.algorithm == "ES256"

    if environment is Environment.PRODUCTION:
        assert "JWT_SIGNING_KEYS is missing" in refusal(monkeypatch, JWT_SIGNING_KEYS=None)
        assert "JWT_SIGNING_KEYS is missing" in refusal(monkeypatch, JWT_SIGNING_KEYS="")
    else:
        settings = load(monkeypatch, ENVIRONMENT=environment, JWT_SIGNING_KEYS=None)
        assert settings.signing_keys().current.algorithm == "HS256"


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("pem", ["canary", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"])
def test_a_signing_key_that_is_none_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, environment: Environment, pem: str
) -> None:
    assert "jwt_signing_keys" in refusal(monkeypatch, ENVIRONMENT=environment, JWT_SIGNING_KEYS=pem)


def test_secrets_are_read_from_files_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pem = new_pem()
    (tmp_path / "jwt_signing_keys").write_text(pem)
    (tmp_path / "STRIPE_WEBHOOK_SECRETS").write_text("whsec_one_from_the_file,whsec_two\n")
    (tmp_path / "smtp_url").write_text("smtp://file")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))

    settings = load(monkeypatch, JWT_SIGNING_KEYS=None, STRIPE_WEBHOOK_SECRETS=None)

    assert settings.jwt_signing_keys.get_secret_value() == pem.strip()
    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secrets] == [
        "whsec_one_from_the_file",
        "whsec_two",
    ]
    assert settings.smtp_url.get_secret_value() == COMPLETE["SMTP_URL"]


def test_a_signing_key_is_as_long_as_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in Environment:
        short, enough = "é" * (MINIMUM_SECRET_BYTES // 2 - 1) + "x", "é" * (MINIMUM_SECRET_BYTES // 2)
        assert f"at least {MINIMUM_SECRET_BYTES} bytes" in refusal(
            monkeypatch, ENVIRONMENT=environment, SECRET_KEY=short
        )
        assert load(monkeypatch, ENVIRONMENT=environment, SECRET_KEY=enough).secret_key.get_secret_value() == enough


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("MAX_BODY_BYTES", "0"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_TIMEOUT", "-1"),
        ("ACCESS_TOKEN_MINUTES", "a while"),
        ("STRIPE_WEBHOOK_SECRETS", ""),
        ("STRIPE_WEBHOOK_SECRETS", " , "),
        ("ENCRYPTION_KEYS", "long enough for anybody, of 32 bytes, short"),
        ("HOME_COUNTRY", "Germany"),
        ("RATE_LIMIT_ENABLED", "perhaps"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "CHATTY"),
    ],
)
def test_values_that_make_no_sense_are_refused_at_once(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert name.lower() in refusal(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    ("given", "understood"),
    [("a.example, b.example", ("a.example", "b.example")), ("a.example,", ("a.example",)), ("", ())],
)
def test_lists_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, given: str, understood: tuple[str, ...]
) -> None:
    settings = load(monkeypatch, TRUSTED_HOSTS=given)

    assert settings.trusted_hosts == understood


def test_origins_are_those_that_browsers_send(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, CORS_ORIGINS="https://shop.example, http://localhost:3000,http://[::1]:3000")

    assert settings.cors_origins == ("https://shop.example", "http://localhost:3000", "http://[::1]:3000")


@pytest.mark.parametrize(
    "origin", ["*", "null", "shop.example", "https://*.shop.example", "https://shop.example/", "https://SHOP.example"]
)
def test_anything_else_is_no_origin(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    with pytest.raises(ValidationError, match="no path, no pattern"):
        load(monkeypatch, CORS_ORIGINS=origin)


def test_a_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAIL_FROM=From the file <a@example.com>\nHOME_COUNTRY=AT\nUNKNOWN=ignored\n")

    settings = load(monkeypatch, HOME_COUNTRY="CH")

    assert (settings.mail_from, settings.home_country) == ("From the file <a@example.com>", "CH")


def test_no_secret_shows_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert "canary" not in f"{settings!r} {settings}"


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(monkeypatch).home_country = "AT"  # type: ignore[misc]  # as the type checker says, too


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"SECRET_KEY": "canary-short"},
            f"SECRET_KEY: Value error, a secret needs at least {MINIMUM_SECRET_BYTES} bytes",
        ),
        (
            {"SECRET_KEY": f"canary-{PLACEHOLDER_PREFIX}-{'x' * 40}"},
            "SECRET_KEY still holds a placeholder; production needs a real secret",
        ),
        ({"DATABASE_URL": None}, "DATABASE_URL: Field required"),
    ],
)
def test_the_server_does_not_start_and_says_why(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], told: str
) -> None:
    refusal(monkeypatch, **changes)

    result = CliRunner().invoke(shop, ["serve"])

    assert result.exit_code == EXIT_CONFIGURATION
    assert told in result.output
    assert "canary" not in result.output
    assert "Traceback" not in result.output
