"""A shop with an empty media store, a product and somebody who may give it pictures."""

import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.database import Database
from app.models.products import Product
from app.models.users import Role
from app.settings import Settings
from app.shop import Shop
from tests.support.catalogue import add_product
from tests.support.shopping import signed_in


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def files(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Everything in the store and where temporary files go, by its path."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def look() -> list[str]:
        return sorted(
            str(path.relative_to(place)) for place in (store, temporary) for path in place.rglob("*") if path.is_file()
        )

    return look


@pytest.fixture
async def shop(settings: Settings, database: Database, store: Path) -> AsyncIterator[Shop]:
    shop = Shop(settings.model_copy(update={"media_store": str(store)}), database)
    yield shop
    await shop.close()


@pytest.fixture
async def staff(shop: Shop) -> dict[str, str]:
    return await signed_in(shop, Role.CATALOG)


@pytest.fixture
async def tee(database: Database) -> Product:
    return await add_product(database, "Tee", 1999, slug="tee")
