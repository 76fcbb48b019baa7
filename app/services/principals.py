"""Who is asking."""

from dataclasses import dataclass, field
from uuid import UUID

from app.core.security import digest
from app.errors import Unauthorized
from app.models.scopes import Scope


class Caller:
    """Whoever proves who they are. `scopes` is all that they may do, as of this request."""

    __slots__ = ()

    user_id: UUID | None
    key_id: UUID | None
    scopes: frozenset[Scope]

    @property
    def name(self) -> str:
        """Whose idempotency keys theirs are, and who the audit log says it was."""
        raise NotImplementedError

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    @property
    def sees_drafts(self) -> bool:
        return Scope.CATALOG_READ in self.scopes


@dataclass(frozen=True, slots=True)
class Principal(Caller):
    """A signed-in person.

    `role` is read from the account at each request and narrows the scopes of the token, so losing it takes effect at
    once; what a new role adds comes with the next token.
    """

    user_id: UUID
    session_id: UUID
    role: str
    scopes: frozenset[Scope]
    key_id: None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class Service(Caller):
    """A program with an API key."""

    key_id: UUID
    scopes: frozenset[Scope]
    user_id: None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return f"key:{self.key_id}"


@dataclass(frozen=True, slots=True)
class Shopper:
    """Whoever shops: a customer, a guest who holds the secret token of a cart or of an order, or staff who help.

    `caller` is whoever proved who they are, if anybody did.
    """

    user_id: UUID | None = None
    cart_token: str | None = None
    order_token: str | None = None
    caller: Caller | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.user_id or self.cart_token or self.order_token)

    @property
    def cart_hash(self) -> bytes | None:
        return digest(self.cart_token) if self.cart_token else None

    @property
    def order_hash(self) -> bytes | None:
        return digest(self.order_token) if self.order_token else None

    def may(self, scope: Scope) -> bool:
        """Guests may nothing that needs a scope."""
        return self.caller is not None and self.caller.may(scope)

    @property
    def scope(self) -> str:
        """Whose idempotency keys these are: the person's or the service's, never the bearer token's."""
        if self.user_id:
            return f"user:{self.user_id}"
        if self.caller:
            return self.caller.name
        token_hash = self.order_hash or self.cart_hash
        if token_hash is None:
            raise Unauthorized("Sign in, or send the X-Cart-Token or X-Order-Token you were given.")
        return f"guest:{token_hash.hex()}"
