"""What somebody may do: scopes of OAuth2 (RFC 6749 §3.3), and which of them come with a role."""

from collections.abc import Iterable
from enum import StrEnum

from app.models.users import Role


class Scope(StrEnum):
    """`thing:deed`. Those that end in `_all` are about everybody's things, those above them about one's own."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    CART_READ = "cart:read"
    CART_WRITE = "cart:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    REVIEWS_READ = "reviews:read"
    REVIEWS_WRITE = "reviews:write"

    ORDERS_READ_ALL = "orders:read_all"
    ORDERS_WRITE_ALL = "orders:write_all"
    REVIEWS_READ_ALL = "reviews:read_all"
    REVIEWS_MODERATE = "reviews:moderate"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    INVENTORY_READ = "inventory:read"
    INVENTORY_WRITE = "inventory:write"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"


MEANINGS = {
    Scope.ACCOUNT_READ: "See your account: profile, addresses, sessions",
    Scope.ACCOUNT_WRITE: "Change your account, its password and its sessions, or close it",
    Scope.CART_READ: "See your cart",
    Scope.CART_WRITE: "Fill your cart",
    Scope.ORDERS_READ: "See your orders",
    Scope.ORDERS_WRITE: "Place, pay and cancel your orders",
    Scope.REVIEWS_READ: "See your reviews, also those that are not published",
    Scope.REVIEWS_WRITE: "Write reviews, and vote on others",
    Scope.ORDERS_READ_ALL: "See everybody's orders",
    Scope.ORDERS_WRITE_ALL: "Cancel everybody's orders",
    Scope.REVIEWS_READ_ALL: "See everybody's reviews, also those that are not published",
    Scope.REVIEWS_MODERATE: "Publish and reject reviews",
    Scope.USERS_READ: "See everybody's account",
    Scope.USERS_WRITE: "Change everybody's role and status",
    Scope.CATALOG_READ: "See drafts and what is archived",
    Scope.CATALOG_WRITE: "Change products, variants, pictures and categories",
    Scope.INVENTORY_READ: "See stock, its movements and reservations",
    Scope.INVENTORY_WRITE: "Receive, count and write off stock",
    Scope.API_KEYS_READ: "See which services have keys",
    Scope.API_KEYS_WRITE: "Give keys to services, and revoke them",
}

_OWN = frozenset(
    {
        Scope.ACCOUNT_READ,
        Scope.ACCOUNT_WRITE,
        Scope.CART_READ,
        Scope.CART_WRITE,
        Scope.ORDERS_READ,
        Scope.ORDERS_WRITE,
        Scope.REVIEWS_READ,
        Scope.REVIEWS_WRITE,
    }
)
_SUPPORT = {
    Scope.ORDERS_READ_ALL,
    Scope.ORDERS_WRITE_ALL,
    Scope.REVIEWS_READ_ALL,
    Scope.REVIEWS_MODERATE,
    Scope.USERS_READ,
}
SCOPES_OF: dict[str, frozenset[Scope]] = {
    Role.CUSTOMER: _OWN,
    Role.SUPPORT: _OWN | _SUPPORT,
    Role.CATALOG: _OWN | {Scope.CATALOG_READ, Scope.CATALOG_WRITE},
    Role.WAREHOUSE: _OWN | {Scope.INVENTORY_READ, Scope.INVENTORY_WRITE},
    Role.ANALYST: _OWN,
    Role.ADMIN: frozenset(Scope),
}
"""By role. The role's name is a scope as well: all of these together."""

FOR_SERVICES = frozenset(
    {
        Scope.ORDERS_READ_ALL,
        Scope.ORDERS_WRITE_ALL,
        Scope.REVIEWS_READ_ALL,
        Scope.USERS_READ,
        Scope.CATALOG_READ,
        Scope.CATALOG_WRITE,
        Scope.INVENTORY_READ,
        Scope.INVENTORY_WRITE,
    }
)
"""What an API key may be good for: nothing that is a person's own or to be decided by one, no power over accounts."""

# Who may do something with everybody's things may do it with their own: operations ask for that alone.
_IMPLIED = {
    Scope.ORDERS_READ_ALL: Scope.ORDERS_READ,
    Scope.ORDERS_WRITE_ALL: Scope.ORDERS_WRITE,
    Scope.REVIEWS_READ_ALL: Scope.REVIEWS_READ,
}
_ALLOWED = SCOPES_OF | {scope: frozenset({scope, _IMPLIED.get(scope, scope)}) for scope in Scope}


def expanded(names: Iterable[str]) -> frozenset[Scope]:
    """Everything that these scopes allow. A name that is none allows nothing."""
    return frozenset[Scope]().union(*(_ALLOWED.get(name, ()) for name in names))


def granted(role: str, asked: str) -> str:
    """What somebody of this role gets of what they ask for, separated by spaces; everything when it is nothing.

    All of a role's scopes together go by the name of the role. Empty when the role allows nothing of what was asked.
    """
    names = asked.split()
    everything = SCOPES_OF[role]
    allowed = expanded(names) & everything if names else everything
    return str(role) if allowed == everything else " ".join(sorted(allowed))
