"""The `shop` command. Each command imports what it needs when it runs, so that `shop --help` is quick."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

EXIT_CONFIGURATION = 78  # EX_CONFIG of <sysexits.h>

shop = typer.Typer(
    help="Emporium: run the shop, and look after it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, secrets among them
)
keys = typer.Typer(help="The keys that access tokens and personal data are protected with.", no_args_is_help=True)
shop.add_typer(keys, name="keys")


@shop.command()
def dev(
    home: Annotated[Path, typer.Option(envvar="SHOP_HOME", help="Where data and logs are kept.")] = Path(".shop"),
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="SHOP_PORT", help="The API's port.")] = 8000,
    sandbox_port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="SANDBOX_PORT", help="The sandbox's web port.")
    ] = 8001,
    smtp_port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="SANDBOX_SMTP_PORT", help="The mailbox' SMTP port.")
    ] = 1025,
) -> None:
    """Run the whole shop on this machine: database, cache, sandbox, worker, relay and API."""
    from app.dev.shop import open_for_business
    from app.dev.surroundings import Ports

    sys.exit(open_for_business(home, Ports(api=port, sandbox=sandbox_port, smtp=smtp_port)))


@shop.command()
def serve(
    host: Annotated[str, typer.Option(envvar="SHOP_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, envvar="SHOP_PORT", help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(envvar="WEB_CONCURRENCY", min=1, help="Processes.")] = 1,
    forwarded_allow_ips: Annotated[
        str, typer.Option(envvar="FORWARDED_ALLOW_IPS", help="Proxies whose X-Forwarded-For is believed.")
    ] = "",
) -> None:
    """Serve the API."""
    from app.server import serve, trusted_proxies
    from app.settings import Settings

    with _configuration_errors():
        Settings()
    try:
        proxies = trusted_proxies(forwarded_allow_ips)
    except ValueError as error:
        typer.echo(f"FORWARDED_ALLOW_IPS: {error}", err=True)
        sys.exit(EXIT_CONFIGURATION)
    serve(host, port, workers, proxies)


@shop.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="The revision to upgrade to.")] = "head",
) -> None:
    """Bring the database's schema up to date. Needs nothing but DATABASE_URL."""
    import logging

    from alembic import command
    from alembic.config import Config

    import migrations

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with _configuration_errors():
        command.upgrade(config, revision)


@shop.command()
def seed(
    products: Annotated[
        int | None, typer.Option(min=1, help="How many products; without it, every hand-written one.")
    ] = None,
    orders: Annotated[int | None, typer.Option(min=0, help="How many past orders.")] = None,
) -> None:
    """Fill an empty database with a believable demo shop; a filled one is left alone."""
    from app.dev.seed import SeedRefused, seed
    from app.settings import Settings

    with _configuration_errors():
        settings = Settings()
    sizes = {"products": products, "orders": orders}
    try:
        seed(settings, **{name: size for name, size in sizes.items() if size is not None})
    except SeedRefused as refusal:
        typer.echo(str(refusal), err=True)
        sys.exit(1)


@keys.command("new")
def new_key() -> None:
    """Print a new private key for JWT_SIGNING_KEYS, and on the other stream its id."""
    from app.core.signing_keys import SigningKeys, new_pem

    pem = new_pem()
    typer.echo(pem, nl=False)
    typer.echo(f"key id {SigningKeys.from_pem(pem).current.id}", err=True)


@keys.command("rotate")
def rotate_keys() -> None:
    """Encrypt personal data with the first of ENCRYPTION_KEYS; after that, the others can be taken away.

    Put the new key in front, restart every process, then run this. It works beside the running shop, and can be
    stopped and run again at any time.
    """
    import asyncio

    from app.services.key_rotation import rotate
    from app.settings import Settings

    with _configuration_errors():
        settings = Settings()
    asyncio.run(rotate(settings, typer.echo))


@shop.command()
def version() -> None:
    """Print the version."""
    from app import __version__

    typer.echo(__version__)


@contextmanager
def _configuration_errors() -> Iterator[None]:
    """Say in one line per variable what is wrong with the configuration, and end."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        typer.echo(f"The configuration is not complete (.env.example explains it). {error.title}:", err=True)
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"  {name + ': ' if name else ''}{problem['msg']}", err=True)
        sys.exit(EXIT_CONFIGURATION)


def main() -> None:
    """The entry point of the `shop` command; `.env` in the working directory counts as environment."""
    from dotenv import load_dotenv

    load_dotenv(Path(".env"))
    shop()


if __name__ == "__main__":
    main()
