"""What waits for support, what support decides, and who sees what is not published."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.platform import OutboxEvent
from app.models.products import Product
from app.models.reviews import Review, ReviewStatus
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.catalogue import API, add_product
from tests.support.problems import problem_of
from tests.support.reviews import (
    Headers,
    Json,
    add_review,
    customer,
    id_of,
    moderate,
    page,
    ratings,
    titles,
    written,
)
from tests.support.shopping import signed_in


@pytest.fixture
async def mug(database: Database) -> Product:
    return await add_product(database, "Mug", 1999, slug="mug")


@pytest.fixture
async def ada(shop: Shop) -> Headers:
    return await customer(shop, "Ada Lovelace")


@pytest.fixture
async def support(shop: Shop) -> Headers:
    return await signed_in(shop, Role.SUPPORT)


async def edit(client: httpx.AsyncClient, review: Json, author: Headers, **changes: Any) -> Json:
    current = (await client.get(f"{API}/reviews/{review['id']}", headers=author)).json()
    response = await client.patch(
        f"{API}/reviews/{review['id']}", json=changes, headers=author | {"If-Match": f'"v{current["version"]}"'}
    )
    assert response.status_code == 200, response.text
    edited: Json = response.json()
    return edited


PROSE = [
    "e.g. this",
    "nice.Really good",
    "It arrived.It works",
    "Good shop.Top quality",
    "so-so...com",
    "at 4.5 V, i.e. too little",
    "Node.js",
    "the.common.cold",
    "Milk and/or tea. Com",
]


async def published_events(database: Database) -> int:
    return len(await all_of(database, select(OutboxEvent.type).where(OutboxEvent.type == "review.published")))


@pytest.mark.parametrize(
    "text",
    [
        "Cheaper at http://shop.example",
        "see HTTPS://shop.example",
        "www.shop.example",
        "write to ada@example.com",
        "ada.lovelace+tea@mail.example.com",
        "hxxp://shop.example",
        "buy at spam.com",
        "SPAM.COM",
        "spam.co.uk, cheaper",
        "(spam.com)",
        "spam.shop",
        "SPAM.SHOP",
        "spam.example/x",
        "spam.it/x",
        "ｓｐａｍ．ｃｏｍ",  # noqa: RUF001  # in full-width letters
        "spam\u3002com",
        "spam.c\u200bom",
        "spam.xn--p1ai",
    ],
)
@pytest.mark.parametrize("field", ["title", "body"])
async def test_what_leads_away_waits_for_support(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers, field: str, text: str
) -> None:
    held = await written(client, mug, ada, **{field: text})

    assert held["status"] == "pending"
    assert await titles(client, mug) == []
    assert await ratings(database, mug.id) == ([0, 0, 0, 0, 0], 0, 0.0)
    assert await published_events(database) == 0


@pytest.mark.parametrize(
    "text", ["Arrived @ noon", "5/5, would buy again...", "http is not a colour", "mail me", "wwww.", *PROSE]
)
async def test_what_does_not_is_published(client: httpx.AsyncClient, mug: Product, ada: Headers, text: str) -> None:
    assert (await written(client, mug, ada, body=text))["status"] == "published"


@pytest.mark.parametrize("status", ["pending", "rejected"])
async def test_what_is_not_published_is_there_for_its_author_and_for_support(
    client: httpx.AsyncClient, shop: Shop, mug: Product, ada: Headers, support: Headers, status: str
) -> None:
    review = await written(client, mug, ada)
    await moderate(client, review, support, status, "Off topic.")

    seen = {}
    for name, headers in {
        "author": ada,
        "support": support,
        "admin": await signed_in(shop, Role.ADMIN),
        "catalog": await signed_in(shop, Role.CATALOG),
        "another": await customer(shop),
        "nobody": {},
    }.items():
        response = await client.get(f"{API}/reviews/{review['id']}", headers=headers)
        seen[name] = response.json()["moderation"]["reason"] if response.is_success else problem_of(response)["code"]

    assert seen == dict.fromkeys(("author", "support", "admin"), "Off topic.") | dict.fromkeys(
        ("catalog", "another", "nobody"), "not_found"
    )


async def test_why_a_review_was_looked_at_is_nobody_elses_business(
    client: httpx.AsyncClient, shop: Shop, mug: Product, ada: Headers, support: Headers
) -> None:
    review = await written(client, mug, ada)
    await moderate(client, review, support, "published", "A complaint was unfounded.")
    address = f"{API}/reviews/{review['id']}"

    own = await client.get(address, headers=ada)
    others = await client.get(address, headers=await customer(shop))

    assert own.json()["moderation"]["reason"] == "A complaint was unfounded."
    assert others.json() == own.json() | {"moderation": None}
    assert own.headers["Cache-Control"] == others.headers["Cache-Control"] == "private, no-cache"


async def test_a_decision_takes_a_review_down_and_brings_it_back(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, ada: Headers, support: Headers
) -> None:
    review = await written(client, mug, ada, rating=1, title="Bad")

    rejected = await moderate(client, review, support, "rejected", "About the parcel service.")

    assert rejected.status_code == 200
    assert rejected.headers["ETag"] == '"v2"'
    moderation = rejected.json()["moderation"]
    assert rejected.json() == review | {
        "status": "rejected",
        "moderation": {"reason": "About the parcel service.", "decided_at": moderation["decided_at"]},
        "version": 2,
        "updated_at": rejected.json()["updated_at"],
    }
    assert await titles(client, mug) == []
    assert await ratings(database, mug.id) == ([0, 0, 0, 0, 0], 0, 0.0)
    [stored] = await all_of(database, select(Review))
    assert (stored.moderated_by, stored.moderated_at is not None) == (id_of(shop, support), True)

    restored = await moderate(client, review, support, "published")

    assert restored.json()["moderation"]["reason"] is None
    assert await titles(client, mug) == ["Bad"]
    assert await ratings(database, mug.id) == ([1, 0, 0, 0, 0], 1, 1.0)
    assert await published_events(database) == 2


async def test_the_same_decision_again_changes_nothing(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers, support: Headers
) -> None:
    review = await written(client, mug, ada)

    first = await moderate(client, review, support, "rejected", "Off topic.")
    again = await moderate(client, review, support, "rejected", "Off topic.")

    assert again.json() == first.json()
    assert (await moderate(client, review, support, "rejected", "Spam.")).json()["version"] == 3


async def test_a_decision_may_name_the_version_that_was_read(
    client: httpx.AsyncClient, mug: Product, ada: Headers, support: Headers
) -> None:
    review = await written(client, mug, ada)
    await edit(client, review, ada, body="Something else.")

    refused = await moderate(client, review, support | {"If-Match": '"v1"'}, "rejected")

    assert (refused.status_code, problem_of(refused)["code"]) == (412, "precondition_failed")
    assert (await page(client, mug))["summary"]["count"] == 1
    assert (await moderate(client, review, support | {"If-Match": '"v2"'}, "rejected")).status_code == 200


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.CATALOG, Role.WAREHOUSE, Role.ANALYST])
async def test_only_support_decides(
    client: httpx.AsyncClient, shop: Shop, mug: Product, ada: Headers, role: Role
) -> None:
    review = await written(client, mug, ada)

    for refused in (
        await moderate(client, review, await signed_in(shop, role), "rejected"),
        await moderate(client, review, ada, "rejected"),
    ):
        assert (refused.status_code, problem_of(refused)["code"]) == (403, "insufficient_scope")
    assert (await moderate(client, review, {}, "rejected")).status_code == 401
    assert (await client.get(f"{API}/reviews/{review['id']}")).json() == review


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/status"),
        ({"status": "hidden"}, "/status"),
        ({"status": None}, "/status"),
        ({"status": "rejected", "reason": ""}, "/reason"),
        ({"status": "rejected", "reason": "x" * 501}, "/reason"),
        ({"status": "rejected", "reason": "two\nlines"}, "/reason"),
        ({"status": "rejected", "rating": 5}, "/rating"),
    ],
)
async def test_a_wrong_decision_is_refused(
    client: httpx.AsyncClient, mug: Product, ada: Headers, support: Headers, body: Json, pointer: str
) -> None:
    review = await written(client, mug, ada)

    refused = await client.patch(f"{API}/reviews/{review['id']}/moderation", json=body, headers=support)

    assert [error["pointer"] for error in problem_of(refused)["errors"]] == [pointer]
    assert (await client.get(f"{API}/reviews/{review['id']}")).json() == review


async def test_an_unknown_review_is_not_found(client: httpx.AsyncClient, support: Headers) -> None:
    refused = await moderate(client, {"id": "00000000-0000-7000-8000-000000000000"}, support, "rejected")

    assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")


# Edits of what was held or taken down


async def test_a_link_that_is_taken_out_publishes_the_review(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers
) -> None:
    held = await written(client, mug, ada, body="See www.shop.example")

    assert (await edit(client, held, ada, body="See for yourselves."))["status"] == "published"
    assert await published_events(database) == 1
    assert (await page(client, mug))["summary"]["count"] == 1


async def test_a_link_that_is_put_in_takes_the_review_off_the_page(
    client: httpx.AsyncClient, mug: Product, ada: Headers
) -> None:
    review = await written(client, mug, ada)

    assert (await edit(client, review, ada, title="www.shop.example"))["status"] == "pending"
    assert (await page(client, mug))["summary"]["count"] == 0


@pytest.mark.parametrize("decision", ["rejected", "pending"])
async def test_what_support_took_down_comes_back_by_support_only(
    client: httpx.AsyncClient, mug: Product, ada: Headers, support: Headers, decision: str
) -> None:
    review = await written(client, mug, ada, title="Rude")
    await moderate(client, review, support, decision, "Be kind.")

    for title in ("Polite", "Very polite"):
        edited = await edit(client, review, ada, title=title)
        assert (edited["status"], edited["moderation"]["reason"]) == ("pending", "Be kind.")
    assert await titles(client, mug) == []

    await moderate(client, review, support, "published")
    assert (await edit(client, review, ada, title="Kind"))["status"] == "published"


async def delete(client: httpx.AsyncClient, review: Json, author: Headers) -> None:
    version = (await client.get(f"{API}/reviews/{review['id']}", headers=author)).json()["version"]
    deleted = await client.delete(f"{API}/reviews/{review['id']}", headers=author | {"If-Match": f'"v{version}"'})
    assert deleted.status_code == 204, deleted.text


@pytest.mark.parametrize("decision", ["rejected", "pending"])
async def test_to_delete_and_write_anew_is_no_way_around_support(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers, support: Headers, decision: str
) -> None:
    review = await written(client, mug, ada, title="Rude")
    await moderate(client, review, support, decision, "Be kind.")

    for title in ("Polite", "Very polite"):
        await delete(client, review, ada)
        review = await written(client, mug, ada, rating=4, title=title)
        assert (review["status"], review["moderation"]["reason"], review["version"]) == ("pending", "Be kind.", 1)
    assert (await edit(client, review, ada, title="Kind"))["status"] == "pending"
    assert await titles(client, mug) == []
    assert await ratings(database, mug.id) == ([0, 0, 0, 0, 0], 0, 0.0)
    assert await published_events(database) == 1

    await moderate(client, review, support, "published")
    assert await titles(client, mug) == ["Kind"]
    await delete(client, review, ada)
    assert (await written(client, mug, ada))["status"] == "published"


async def test_what_was_deleted_after_a_rejection_is_gone_for_everybody(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers, support: Headers
) -> None:
    review = await written(client, mug, ada, title="Rude", body="Very.")
    await moderate(client, review, support, "rejected", "Be kind.")
    await delete(client, review, ada)

    [kept] = await all_of(database, select(Review))
    assert (kept.title, kept.body) == ("", "")
    for headers in (ada, support):
        listed = await client.get(f"{API}/reviews", params={"include_total": True}, headers=headers)
        assert (listed.json()["data"], listed.json()["page"]["total"]) == ([], 0)
        for review_id in (review["id"], kept.id):
            assert (await client.get(f"{API}/reviews/{review_id}", headers=headers)).status_code == 404
    assert (await moderate(client, {"id": kept.id}, support, "published")).status_code == 404
    owner = ada | {"If-Match": '"v0"'}
    edited = await client.patch(f"{API}/reviews/{kept.id}", json={"rating": 1}, headers=owner)
    deleted = await client.delete(f"{API}/reviews/{kept.id}", headers=owner)
    assert (edited.status_code, deleted.status_code) == (404, 404)


# The queue


async def test_support_works_through_what_waits(
    client: httpx.AsyncClient, database: Database, mug: Product, support: Headers
) -> None:
    for day, status in enumerate([*ReviewStatus, *ReviewStatus]):
        await add_review(database, mug, day=day, status=status, title=f"{status} {day}")

    async def queue(**parameters: Any) -> list[str]:
        response = await client.get(f"{API}/reviews", params=parameters, headers=support)
        assert response.status_code == 200, response.text
        return [review["title"] for review in response.json()["data"]]

    assert await queue(status="pending") == ["pending 4", "pending 1"]
    assert await queue(status="pending", sort="created_at") == ["pending 1", "pending 4"]
    assert await queue(status="rejected") == ["rejected 5", "rejected 2"]
    assert len(await queue()) == 6
    first = (await client.get(f"{API}/reviews?sort=created_at&limit=4&include_total=true", headers=support)).json()
    cursor = first["page"]["next_cursor"]
    assert first["page"]["total"] == 6
    assert await queue(sort="created_at", limit=4, cursor=cursor) == ["pending 4", "rejected 5"]
    back = (
        await client.get(f"{API}/reviews", params={"sort": "created_at", "limit": 4, "cursor": cursor}, headers=support)
    ).json()["page"]["prev_cursor"]
    assert await queue(sort="created_at", limit=4, cursor=back) == [each["title"] for each in first["data"]]


@pytest.mark.parametrize(("parameter", "value"), [("status", "hidden"), ("sort", "-rating"), ("rating", "5")])
async def test_a_wrong_parameter_is_refused(
    client: httpx.AsyncClient, support: Headers, parameter: str, value: str
) -> None:
    refused = await client.get(f"{API}/reviews", params={parameter: value}, headers=support)

    assert refused.status_code == 422
    assert [error["pointer"] for error in problem_of(refused)["errors"]] == [parameter]
