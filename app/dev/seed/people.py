"""Staff of every role, customers, and the guests who only ever ordered. The e-mail addresses are reserved ones."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.dev.seed.catalogue import TEXTS
from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.models.addresses import SavedAddress
from app.models.users import Role, User, UserStatus
from app.schemas.carts import Address

STAFF = {
    Role.ADMIN: "Ada Admin",
    Role.SUPPORT: "Sam Support",
    Role.CATALOG: "Carla Catalog",
    Role.WAREHOUSE: "Walter Warehouse",
    Role.ANALYST: "Anna Analyst",
}
OPENED = timedelta(days=420)
DEMO_CUSTOMER_WEIGHT = 2.0  # who tries the shop finds some orders of their own


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who orders; without a `user_id` a guest. `weight` is how often."""

    user_id: UUID | None
    email: str
    address: Address
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class People:
    """Who orders, who reviews (every customer but the demo account, which finds nothing reviewed), and the staff."""

    buyers: list[Buyer]
    critics: list[UUID]
    staff: dict[Role, UUID]


def write_people(loader: Loader, ids: Ids, password_hash: str, now: datetime) -> People:
    """Write the accounts, all with the same password."""
    staff = {role: ids() for role in STAFF}
    for role, full_name in STAFF.items():
        _write_account(loader, staff[role], f"{role}@example.com", full_name, role, password_hash, now - OPENED)
    people = tomllib.loads((TEXTS / "people.toml").read_text(encoding="utf-8"))
    buyers = [_buyer(None, entry) for entry in people["guests"]]
    customers = []
    for index, entry in enumerate(people["customers"]):
        user_id = ids()
        buyer = _buyer(user_id, entry, weight=1.0 if index else DEMO_CUSTOMER_WEIGHT)
        joined = now - OPENED + timedelta(days=10 * index)
        _write_account(loader, user_id, buyer.email, buyer.address.full_name, Role.CUSTOMER, password_hash, joined)
        _write_address(loader, ids(), user_id, buyer.address, joined)
        buyers.append(buyer)
        customers.append(user_id)
    return People(buyers, customers[1:], staff)


def _buyer(user_id: UUID | None, entry: dict[str, Any], weight: float = 1.0) -> Buyer:
    email = entry.pop("email")
    return Buyer(user_id, email, Address.model_validate(entry), weight)


def _write_address(loader: Loader, address_id: UUID, user_id: UUID, address: Address, at: datetime) -> None:
    loader.add(
        SavedAddress,
        id=address_id,
        user_id=user_id,
        **address.model_dump(),
        is_default_shipping=True,
        is_default_billing=True,
        created_at=at,
        updated_at=at,
    )


def _write_account(
    loader: Loader,
    user_id: UUID,
    email: str,
    full_name: str,
    role: Role,
    password_hash: str,
    joined: datetime,
) -> None:
    loader.add(
        User,
        id=user_id,
        email=email,
        password_hash=password_hash,
        full_name=full_name,
        role=role,
        status=UserStatus.ACTIVE,
        email_verified_at=joined,
        created_at=joined,
        updated_at=joined,
    )
