"""PostgreSQL 18 and Valkey out of Python wheels: started on free loopback ports, stopped with the process."""

from app.dev.embedded.postgres import PostgresServer, RunningPostgres
from app.dev.embedded.processes import EmbeddedServerError
from app.dev.embedded.valkey import RunningValkey, ValkeyServer

__all__ = ["EmbeddedServerError", "PostgresServer", "RunningPostgres", "RunningValkey", "ValkeyServer"]
