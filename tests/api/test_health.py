"""Whether the process lives, whether it should get requests, and what it counts."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text

from app.database import Database, newest_revision
from app.dev.embedded.processes import free_port
from app.main import create_app
from app.settings import Settings
from tests.support.problems import problem_of
from tests.support.processes import running_apis
from tests.support.shopping import add_delivery, add_product, place


async def test_alive_and_ready(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        response = await client.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_without_its_database_the_process_lives_and_is_not_ready(settings: Settings) -> None:
    url = SecretStr(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")
    away = settings.model_copy(update={"database_url": url})
    app = create_app(away)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")

    assert problem_of(ready)["code"] == "service_unavailable"
    assert ready.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "statement", ["UPDATE alembic_version SET version_num = 'older'", "DELETE FROM alembic_version"]
)
async def test_tables_of_another_version_mean_not_ready(
    client: httpx.AsyncClient, database: Database, statement: str
) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(statement))

    ready = await client.get("/health/ready")

    assert problem_of(ready)["code"] == "service_unavailable"
    assert str(newest_revision()) not in ready.text
    assert (await client.get("/health/live")).status_code == 200


async def test_a_database_without_tables_means_not_ready(client: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("DROP TABLE alembic_version"))

    assert problem_of(await client.get("/health/ready"))["code"] == "service_unavailable"


# Metrics


async def samples(client: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every series with its value."""
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_orders_are_counted_when_they_are_placed(client: httpx.AsyncClient, database: Database) -> None:
    await add_delivery(database)
    variant = await add_product(database)
    placed = ("shop_orders_total", frozenset({("outcome", "placed")}))
    before = (await samples(client)).get(placed, 0)

    await place(client, (variant, 1))

    assert (await samples(client))[placed] == before + 1


async def test_series_are_as_many_as_routes_and_not_as_requests(
    settings: Settings, fresh_database_url: str, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"database_url": SecretStr(fresh_database_url)})
    with running_apis(own, tmp_path, 1) as [url]:  # counters belong to a process: this one has seen no other test
        async with httpx.AsyncClient(base_url=url) as client:
            for _ in range(2):
                known = (await samples(client)).keys()
                for method in ("GET", "POST", "PROPFIND", "NONSENSE", f"X{uuid4().hex}"):
                    for path in ("/api/v1/products", "/nothing", "/static", "/api/v1", "/api/v1/orders"):
                        await client.request(method, f"{path}/{uuid4()}")
            after = (await samples(client)).keys()

    assert after == known
    handlers = {value for _, labels in after for name, value in labels if name == "handler"}
    assert handlers == {"/api/v1/products/{id_or_slug}", "/api/v1/orders/{order_id}", "none"}
