"""The statements that change carts, composed once.

Each begins with the cart's own row, which it locks and counts a version up: changes of one cart queue up there. Who
waited there sees what the others have done, since a conflicting row is looked at as it is now and not as it was when
the statement began (PostgreSQL manual, 13.2.1). What a statement refuses shows in the row that it returns; its caller
rolls back.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    LargeBinary,
    Text,
    Update,
    Uuid,
    bindparam,
    case,
    cast,
    delete,
    func,
    null,
    select,
    text,
    update,
)
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.reader import Query
from app.models.base import table_of
from app.models.carts import LARGEST_QUANTITY, Cart, CartLine
from app.models.inventory import StockLevel
from app.models.products import Product, Variant
from app.repositories.carts_read import AVAILABLE, IS_FOR_SALE

CARTS, LINES = table_of(Cart), table_of(CartLine)
_LARGEST = literally(str(LARGEST_QUANTITY), BigInteger)
_VARIANT = bindparam("variant_id", type_=Uuid)
_QUANTITY = bindparam("quantity", type_=BigInteger)
_EXPIRY = bindparam("expires_at", type_=DateTime(timezone=True))
CART, _GUEST = bindparam("cart_id", type_=Uuid), bindparam("guest_cart_id", type_=Uuid)
# Without bound values: once PostgreSQL plans a prepared statement for any value, it no longer recognises the index.
IS_ACTIVE = CARTS.c.status == literally("'active'")


class OwnersQuery:
    """A statement on the owner's active cart: a customer's by `user_id`, a guest's by `token_hash`.

    One for each, because a condition for both could use the index of neither.
    """

    def __init__(self, statement: Callable[[ColumnElement[bool]], Any]) -> None:
        self.of_customer = Query(statement(IS_ACTIVE & (CARTS.c.user_id == bindparam("user_id", type_=Uuid))))
        self.of_guest = Query(statement(IS_ACTIVE & (CARTS.c.token_hash == bindparam("token_hash", type_=LargeBinary))))


def _touched(which: ColumnElement[bool], **values: Any) -> Update:
    """Count the edit, and give the cart another while to live."""
    return update(CARTS).where(which).values(version=CARTS.c.version + 1, expires_at=_EXPIRY, **values)


def _adding(owned: ColumnElement[bool]) -> Any:
    cart = _touched(owned).returning(CARTS.c.id).cte("cart")
    offer = (
        select(Variant.id, AVAILABLE.label("available"))
        .join(Product, Product.id == Variant.product_id)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(Variant.id == _VARIANT, IS_FOR_SALE)
        .cte("offer")
    )
    most = func.least(_LARGEST, offer.c.available)
    line = insert(LINES).from_select(
        ["id", "cart_id", "variant_id", "quantity"],
        select(func.uuidv7(), cart.c.id, offer.c.id, _QUANTITY).where(most >= _QUANTITY),
        include_defaults=False,
    )
    sum_ = LINES.c.quantity + line.excluded.quantity
    added = (
        line.on_conflict_do_update(
            index_elements=["cart_id", "variant_id"],
            set_={"quantity": sum_, "updated_at": func.now()},
            where=sum_ <= select(most).scalar_subquery(),
        )
        .returning(LINES.c.quantity)
        .cte("added")
    )
    return select(_only(cart.c.id), _only(offer.c.id), _only(offer.c.available), _only(added.c.quantity))


def _changing(owned: ColumnElement[bool]) -> Any:
    cart = _touched(owned).returning(CARTS.c.id).cte("cart")
    line = (
        select(LINES.c.id, LINES.c.variant_id, case((IS_FOR_SALE, AVAILABLE)).label("available"))
        .join(Variant, Variant.id == LINES.c.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(LINES.c.id == bindparam("line_id", type_=Uuid), LINES.c.cart_id == cart.c.id)
        .cte("line")
    )
    changed = (
        update(LINES)
        .where(LINES.c.id == line.c.id, line.c.available >= _QUANTITY)
        .values(quantity=_QUANTITY)
        .returning(LINES.c.quantity)
        .cte("changed")
    )
    return select(_only(cart.c.id), _only(line.c.variant_id), _only(line.c.available), _only(changed.c.quantity))


def _removing(owned: ColumnElement[bool]) -> Any:
    cart = _touched(owned).returning(CARTS.c.id).cte("cart")
    removed = (
        delete(LINES)
        .where(LINES.c.cart_id == cart.c.id, LINES.c.id == bindparam("line_id", type_=Uuid))
        .returning(LINES.c.id)
        .cte("removed")
    )
    return select(_only(cart.c.id), _only(removed.c.id))


def _clearing(owned: ColumnElement[bool]) -> Any:
    touched = _touched(owned, shipping_address=null(), shipping_method_id=null())
    cart = touched.returning(CARTS.c.id).cte("cart")
    return select(cart.c.id).add_cte(delete(LINES).where(LINES.c.cart_id == cart.c.id).cte("removed"))


def _only(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value in the one row of a part, or NULL when the part has none."""
    return select(column).scalar_subquery()


# Of an owner's active cart: its id, and what the line is about, how many there are, how many the line holds now.
ADD = OwnersQuery(_adding)  # variant_id, quantity, expires_at
CHANGE = OwnersQuery(_changing)  # line_id, quantity, expires_at

# Of an owner's active cart: its id, and the removed line's.
REMOVE = OwnersQuery(_removing)  # line_id, expires_at

# Of an owner's active cart: its id.
CLEAR = OwnersQuery(_clearing)  # expires_at
LOCK = OwnersQuery(lambda owned: select(CARTS.c.id).where(owned).with_for_update())
SET_ADDRESS = OwnersQuery(
    lambda owned: _touched(owned, shipping_address=cast(bindparam("address", type_=Text), JSONB)).returning(CARTS.c.id)
)
SET_METHOD = OwnersQuery(
    lambda owned: _touched(owned, shipping_method_id=bindparam("method_id", type_=Uuid)).returning(CARTS.c.id)
)
CONVERT = OwnersQuery(
    lambda owned: (
        update(CARTS)
        .where(owned)
        .values(status=literally("'converted'"), version=CARTS.c.version + 1)
        .returning(CARTS.c.id)
    )
)

_NEW = {
    "id": func.uuidv7(),
    "currency": bindparam("currency", type_=Text),
    "status": literally("'active'"),
    "version": literally("1"),
    "expires_at": _EXPIRY,
}
OPEN_FOR_GUEST = Query(insert(CARTS).values(**_NEW, token_hash=bindparam("token_hash", type_=LargeBinary)))
# Unless there is one: of two requests at once the second waits here for the first.
OPEN_FOR_CUSTOMER = Query(
    insert(CARTS)
    .values(**_NEW, user_id=bindparam("user_id", type_=Uuid))
    .on_conflict_do_nothing(index_elements=["user_id"], index_where=text("status = 'active'"))
)

HELD = Query(select(LINES.c.quantity).where(LINES.c.cart_id == CART, LINES.c.variant_id == _VARIANT))

# Pouring a guest's cart into a customer's, both locked.
_THEIRS = LINES.alias("theirs")
TOO_MANY_TOGETHER = Query(
    select(LINES.c.variant_id)
    .join(_THEIRS, _THEIRS.c.variant_id == LINES.c.variant_id)
    .where(LINES.c.cart_id == CART, _THEIRS.c.cart_id == _GUEST, LINES.c.quantity + _THEIRS.c.quantity > _LARGEST)
    .order_by(LINES.c.id)
)
_POURED = insert(LINES).from_select(
    ["id", "cart_id", "variant_id", "quantity"],
    select(func.uuidv7(), CART, _THEIRS.c.variant_id, _THEIRS.c.quantity)
    .where(_THEIRS.c.cart_id == _GUEST)
    .order_by(_THEIRS.c.id),
    include_defaults=False,
)
POUR = Query(
    _POURED.on_conflict_do_update(
        index_elements=["cart_id", "variant_id"],
        set_={"quantity": func.least(_LARGEST, LINES.c.quantity + _POURED.excluded.quantity), "updated_at": func.now()},
    )
)
_GUESTS = CARTS.alias("guests")
INHERIT = Query(
    _touched(
        (CARTS.c.id == CART) & (_GUESTS.c.id == _GUEST),
        shipping_address=func.coalesce(CARTS.c.shipping_address, _GUESTS.c.shipping_address),
        shipping_method_id=func.coalesce(CARTS.c.shipping_method_id, _GUESTS.c.shipping_method_id),
    )
)
END_MERGED = Query(
    update(CARTS)
    .where(CARTS.c.id == _GUEST, IS_ACTIVE)
    .values(status=literally("'merged'"), version=CARTS.c.version + 1)
)

# Carts that nobody came back for; those that became orders stay.
FORGET_EXPIRED = Query(delete(CARTS).where(CARTS.c.expires_at < func.now(), CARTS.c.status != literally("'converted'")))
