"""Compare the API with its published description, docs/openapi.json; `--write` publishes it anew.

A change of the contract is then seen in the diff of a commit, and never happens by accident.
"""

import difflib
import json
import sys
from pathlib import Path

from pydantic import SecretStr

from app.main import create_app
from app.settings import Environment, Settings

PUBLISHED = Path("docs/openapi.json")
SHOWN_LINES = 60


def describe() -> str:
    """The OpenAPI document of this code, as it is kept in the repository. Nothing is connected to."""
    settings = Settings(
        _env_file=None,
        environment=Environment.DEVELOPMENT,
        public_url="http://localhost:8000",
        database_url=SecretStr("postgresql+asyncpg://nowhere/none"),
        redis_url=SecretStr("redis://nowhere"),
        secret_key=SecretStr("signs nothing, but has to be long enough"),
        stripe_api_key=SecretStr("none"),
        stripe_webhook_secrets=(SecretStr("none"),),
        smtp_url=SecretStr("smtp://nowhere"),
        log_level="WARNING",
    )
    return json.dumps(create_app(settings).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    described = describe()
    if arguments == ["--write"]:
        PUBLISHED.parent.mkdir(exist_ok=True)
        PUBLISHED.write_text(described)
        return 0
    published = PUBLISHED.read_text() if PUBLISHED.exists() else ""
    if described == published:
        sys.stdout.write(f"The API is as {PUBLISHED} describes it.\n")
        return 0
    difference = difflib.unified_diff(
        published.splitlines(), described.splitlines(), str(PUBLISHED), "this code", lineterm=""
    )
    sys.stderr.write("\n".join(list(difference)[:SHOWN_LINES]))
    sys.stderr.write("\n\nThe API has changed. If that is meant: python -m scripts.check_openapi --write\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
