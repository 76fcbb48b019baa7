"""Who is asking."""

from dataclasses import dataclass
from uuid import UUID

from app.core.security import digest
from app.errors import Unauthorized
from app.models.users import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person. `role` is read from the account at each request, so losing one takes effect at once."""

    user_id: UUID
    session_id: UUID
    role: str

    @property
    def sees_drafts(self) -> bool:
        return self.role in (Role.CATALOG, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Whoever shops: a customer, or a guest who holds the secret token of a cart or of an order."""

    user_id: UUID | None = None
    cart_token: str | None = None
    order_token: str | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.user_id or self.cart_token or self.order_token)

    @property
    def cart_hash(self) -> bytes | None:
        return digest(self.cart_token) if self.cart_token else None

    @property
    def order_hash(self) -> bytes | None:
        return digest(self.order_token) if self.order_token else None

    @property
    def scope(self) -> str:
        """Whose idempotency keys these are: the person's, never the bearer token's."""
        if self.user_id:
            return f"user:{self.user_id}"
        token_hash = self.order_hash or self.cart_hash
        if token_hash is None:
            raise Unauthorized("Sign in, or send the X-Cart-Token or X-Order-Token you were given.")
        return f"guest:{token_hash.hex()}"
