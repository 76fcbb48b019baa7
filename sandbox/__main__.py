"""`python -m sandbox`: serve the sandbox with the settings found in the environment."""

import logging
import sys

import uvicorn
from pydantic import ValidationError

from sandbox.app import create_app
from sandbox.settings import Settings


def main() -> None:
    try:
        settings = Settings()
    except ValidationError as invalid:
        sys.exit(f"The sandbox cannot start with these settings:\n{invalid}")
    logging.basicConfig(level=logging.INFO, format="%(levelname)-8s %(name)s %(message)s")
    for chatty in ("httpx", "mail.log"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    uvicorn.run(
        create_app(settings),
        host=settings.sandbox_host,
        port=settings.sandbox_port,
        log_config=None,
        access_log=False,  # an open mailbox page asks every two seconds; what matters is logged where it happens
        # Answers that an injected fault keeps hanging must not keep the process alive.
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
