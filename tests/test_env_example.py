"""`.env.example` is the list of everything that can be configured: complete, valid, and of no use in production."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.signing_keys import new_pem
from app.settings import Settings
from sandbox.settings import Settings as SandboxSettings

ASSIGNMENT = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
EXAMPLE = Path(__file__).parents[1] / ".env.example"


@pytest.fixture
def example() -> dict[str, str]:
    """Every variable with its value, also of the lines that are commented out."""
    return dict(ASSIGNMENT.findall(EXAMPLE.read_text()))


def load(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def test_it_names_every_setting(example: dict[str, str]) -> None:
    settings = {name.upper() for name in Settings.model_fields | SandboxSettings.model_fields}

    assert settings - example.keys() == set()


def test_its_values_are_valid_and_those_without_a_secret_are_the_defaults(
    example: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(example, monkeypatch)

    defaults = {
        name: field.get_default(call_default_factory=True, validated_data=dict(settings))
        for name, field in Settings.model_fields.items()
    }
    changed = {name for name, default in defaults.items() if getattr(settings, name) != default}
    assert changed == {
        "environment",
        "sandbox_url",
        "cors_origins",
        "encryption_keys",
        *(name for name, field in Settings.model_fields.items() if field.is_required()),
    }


@pytest.mark.parametrize(
    "secret", ["SECRET_KEY", "ENCRYPTION_KEYS", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRETS", "DATABASE_URL"]
)
def test_production_refuses_each_of_its_secrets(
    secret: str, example: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {name: value.replace("development-only", "a-real-one-of-enough-bytes") for name, value in example.items()}
    production = {**real, "ENVIRONMENT": "production", "JWT_SIGNING_KEYS": new_pem()}
    load(production, monkeypatch)

    with pytest.raises(ValidationError, match=f"{secret} still holds a placeholder"):
        load({**production, secret: example[secret]}, monkeypatch)
