"""What every refusal of the service looks like (RFC 9457)."""

from typing import Any

import httpx

from app.errors import ShopError

Json = dict[str, Any]


def problem_of(response: httpx.Response) -> Json:
    """The problem in this answer, which must be a complete one of the catalogue."""
    assert 400 <= response.status_code < 600, f"{response.request.method} {response.request.url} was not refused"
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    problem: Json = response.json()
    kind = ShopError.by_code[problem["code"]]
    assert problem["status"] == kind.status == response.status_code
    assert problem["title"] == kind.title
    assert problem["type"].endswith(f"/{kind.code}")
    assert problem["instance"] == response.request.url.path
    assert problem["detail"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    return problem
