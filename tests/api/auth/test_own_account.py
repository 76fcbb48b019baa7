"""What people see and change of themselves."""

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.platform import AuditEntry
from app.models.users import User
from tests.support.accounts import API, Json, all_of, bearer, code, me


async def test_it_is_shown_without_its_secrets(client: httpx.AsyncClient, ada: User, tokens: Json) -> None:
    response = await me(client, tokens["access_token"])

    assert response.status_code == 200
    assert response.headers["etag"] == '"v1"'
    account = response.json()
    assert account.keys() == {
        "id",
        "email",
        "full_name",
        "phone",
        "role",
        "email_verified_at",
        "created_at",
        "version",
    }
    assert (account["id"], account["email"], account["version"]) == (str(ada.id), "ada@example.com", 1)


async def test_it_is_changed_only_at_the_version_that_was_read(
    client: httpx.AsyncClient, ada: User, tokens: Json, database: Database
) -> None:
    async def rename(name: str, **headers: str) -> httpx.Response:
        return await client.patch(
            f"{API}/users/me", json={"full_name": name}, headers=bearer(tokens["access_token"]) | headers
        )

    unconditional = await rename("Nobody")
    changed = await rename("Ada King", **{"If-Match": '"v1"'})
    late = await rename("Somebody", **{"If-Match": '"v1"'})

    assert (unconditional.status_code, code(unconditional)) == (428, "precondition_required")
    assert (changed.status_code, changed.headers["etag"]) == (200, '"v2"')
    assert (changed.json()["full_name"], changed.json()["version"]) == ("Ada King", 2)
    assert (late.status_code, code(late)) == (412, "precondition_failed")
    assert await all_of(database, select(User.full_name)) == ["Ada King"]
    newest = (await all_of(database, select(AuditEntry).order_by(AuditEntry.position)))[-1]
    assert newest.actor_id == str(ada.id)
    assert {"full_name", "version"} <= set(newest.changed)


@pytest.mark.parametrize("body", [{}, {"full_name": ""}, {"role": "admin"}, {"full_name": "Ada", "email": "a@b.cc"}])
async def test_nothing_else_can_be_changed(
    client: httpx.AsyncClient, tokens: Json, database: Database, body: Json
) -> None:
    response = await client.patch(
        f"{API}/users/me", json=body, headers=bearer(tokens["access_token"]) | {"If-Match": '"v1"'}
    )

    assert (response.status_code, code(response)) == (422, "validation_failed")
    assert await all_of(database, select(User.version)) == [1]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}])
async def test_without_a_good_token_there_is_nothing_to_see(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get(f"{API}/users/me", headers=headers)

    assert (response.status_code, code(response)) == (401, "invalid_token")
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
