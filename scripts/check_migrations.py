"""Migrations go up, down and up again on a real PostgreSQL, and what they build is what the models say."""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from app.dev.embedded import PostgresServer, RunningPostgres

DATABASE = "migrations"
LEFT_AFTER_DOWNGRADE = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'
    UNION ALL
    SELECT proname FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    UNION ALL
    SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_type.oid AND deptype = 'e')
"""


def main() -> int:
    with PostgresServer.temporary() as server:
        config = Config("alembic.ini")
        config.attributes["database_url"] = server.create_database(DATABASE)

        command.upgrade(config, "head")
        try:
            command.check(config)
        except CommandError as error:
            sys.stderr.write(f"The models and the migrations differ: {error}\n")
            return 1
        built = schema(server)

        command.downgrade(config, "base")
        if left := server.run_sql(LEFT_AFTER_DOWNGRADE, DATABASE):
            sys.stderr.write(f"After the downgrade there is still: {', '.join(left.splitlines())}\n")
            return 1

        command.upgrade(config, "head")
        if schema(server) != built:
            sys.stderr.write("The second upgrade builds another schema than the first.\n")
            return 1
    sys.stdout.write("Migrations: up, down, up; and no difference to the models.\n")
    return 0


def schema(server: RunningPostgres) -> str:
    """The database's schema as SQL."""
    program = Path(server.programs) / "pg_dump"
    dump = subprocess.run(  # noqa: S603  # a fixed program
        [program, "--schema-only", "--restrict-key=fixed", server.url(DATABASE, "postgresql")],
        capture_output=True,
        text=True,
        check=True,
    )
    return dump.stdout


if __name__ == "__main__":
    sys.exit(main())
