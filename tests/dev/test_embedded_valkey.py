"""The embedded Valkey: password-protected, and durable unless told otherwise."""

from pathlib import Path

import psutil
import pytest
import redis

from app.dev.embedded import ValkeyServer


def test_the_server_asks_for_the_password_and_stops_with_the_block(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path, fast=True).running() as server:
        with redis.Redis.from_url(server.url()) as client:
            assert client.ping() is True
        with (
            redis.Redis(host=server.host, port=server.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()

    assert not psutil.pid_exists(server.process.pid)


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path).running() as server:
        with redis.Redis.from_url(server.url()) as client:
            client.set("kept", "42")
            client.execute_command("WAITAOF", 1, 0, 5000)
        server.process.kill()

    with ValkeyServer(tmp_path).running() as server, redis.Redis.from_url(server.url()) as client:
        assert client.get("kept") == b"42"


def test_the_password_is_in_no_file_that_others_can_read(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path, fast=True).running() as server:
        holders = [path for path in tmp_path.iterdir() if server.password in path.read_text()]

    assert [path.name for path in holders] == ["valkey.conf"]
    assert holders[0].stat().st_mode & 0o777 == 0o600
