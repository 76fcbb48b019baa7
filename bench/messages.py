"""HTTP messages: written out for the load generator, and sent one by one where a scenario is prepared."""

import http.client
import json
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bench.processes import CannotMeasure, Server

API = "/api/v1"


class Answer(NamedTuple):
    headers: http.client.HTTPMessage
    body: bytes


def message(method: str, target: str, headers: dict[str, str] | None = None, body: str = "") -> str:
    """A complete HTTP/1.1 request."""
    length = {"Content-Length": str(len(body.encode()))} if body else {}
    lines = {"Host": "127.0.0.1", "Accept": "application/json", **(headers or {}), **length}
    return f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + f"\r\n{body}"


def get(target: str, **headers: str) -> str:
    return message("GET", target, headers)


def post(target: str, body: Any, headers: dict[str, str] | None = None) -> str:
    """With a body in JSON."""
    return message("POST", target, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body))


def sign_in(email: str, password: str) -> str:
    form = urlencode({"username": email, "password": password})
    return message("POST", f"{API}/auth/token", {"Content-Type": "application/x-www-form-urlencoded"}, form)


def send(server: Server, text: str) -> Answer:
    """Send one such message.

    Raises:
        CannotMeasure: the answer is not a success.
    """
    head, _, body = text.partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    method, target, _ = start.split(" ")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, target, body or None, dict(line.split(": ", 1) for line in lines))
        response = connection.getresponse()
        received = response.read()
    finally:
        connection.close()
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise CannotMeasure(f"{method} {target} answered {response.status}: {received[:1000].decode(errors='replace')}")
    return Answer(response.headers, received)


def fetch(server: Server, target: str) -> Answer:
    return send(server, get(target))


def fetch_json(server: Server, target: str) -> Any:
    return json.loads(fetch(server, target).body)
