"""The read model of a cart: all that is shown, priced and ordered of it, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Boolean, ColumnElement, Select, Text, and_, bindparam, case, cast, func, or_, select
from sqlalchemy import literal_column as literally
from sqlalchemy.dialects.postgresql import distinct_on

from app.core.encryption import KeyRing
from app.models.carts import Cart, CartLine
from app.models.encrypted import open_address
from app.models.inventory import StockLevel
from app.models.products import Product, Variant
from app.models.shipping import ShippingMethod, ShippingTerms, TaxRate
from app.models.users import User
from app.repositories.json_building import json_object

SHIPPING_ADDRESS = "carts.shipping_address"  # the place that its ciphertext is bound to
IS_FOR_SALE = and_(Variant.status == literally("'active'"), Product.status == literally("'active'"))
# How many could be ordered now if it is for sale, back-orders included.
AVAILABLE = func.greatest(literally("0"), StockLevel.available + StockLevel.backorder_limit)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A variant in the cart, as it is sold today. `available` counts back-orders; 0 when it is not for sale."""

    id: UUID
    variant_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: int
    tax_class: str
    is_for_sale: bool
    available: int


@dataclass(frozen=True, slots=True)
class ShownCart:
    """`email` is the customer's; `tax_rates` are those of the country it goes to, by tax class."""

    id: UUID
    version: int
    currency: str
    status: str
    expires_at: datetime
    shipping_address: dict[str, Any] | None
    shipping_method_id: UUID | None
    email: str | None
    lines: tuple[ShownLine, ...]
    methods: tuple[ShippingTerms, ...]
    tax_rates: Mapping[str, Decimal]

    @property
    def method(self) -> ShippingTerms | None:
        """The one that was chosen."""
        return next((method for method in self.methods if method.id == self.shipping_method_id), None)


def read_cart(body: str, keys: KeyRing) -> ShownCart:
    """The cart from the JSON of `shown`."""
    cart = _CARTS.validate_json(body)
    if cart.shipping_address is None:
        return cart
    return replace(cart, shipping_address=open_address(cart.shipping_address, keys, SHIPPING_ADDRESS))


def shown(which: ColumnElement[bool]) -> Select[str]:
    """The cart in JSON.

    It takes `country` (where it goes, if not to the cart's own address), `home_country` (where it goes as long as
    nobody knows) and `all_methods` (not only the chosen way to ship).
    """
    return select(cast(_CART, Text)).where(which)


_CARTS = TypeAdapter(ShownCart)
_COUNTRY = func.coalesce(
    bindparam("country", type_=Text), Cart.shipping_address["country"].astext, bindparam("home_country", type_=Text)
)
_LINES = (
    select(
        func.json_agg(
            json_object(
                id=CartLine.id,
                variant_id=Variant.id,
                sku=Variant.sku,
                name=Product.name,
                options=Variant.option_values,
                quantity=CartLine.quantity,
                unit_price=Variant.price_amount,
                tax_class=Product.tax_class,
                is_for_sale=IS_FOR_SALE,
                available=case((IS_FOR_SALE, AVAILABLE), else_=literally("0")),
            )
        ).aggregate_order_by(CartLine.id)
    )
    .join(Variant, Variant.id == CartLine.variant_id)
    .join(Product, Product.id == Variant.product_id)
    .join(StockLevel, StockLevel.variant_id == Variant.id)
    .where(CartLine.cart_id == Cart.id)
    .correlate(Cart)
)
_METHODS = (
    select(
        func.json_agg(
            json_object(
                id=ShippingMethod.id,
                code=ShippingMethod.code,
                name=ShippingMethod.name,
                price_amount=ShippingMethod.price_amount,
                free_from_amount=ShippingMethod.free_from_amount,
                currency=ShippingMethod.currency,
                countries=ShippingMethod.countries,
            )
        ).aggregate_order_by(ShippingMethod.position, ShippingMethod.id)
    )
    .where(or_(bindparam("all_methods", type_=Boolean), ShippingMethod.id == Cart.shipping_method_id))
    .correlate(Cart)
)
# Today's rate of each class; none means that the shop collects no tax there.
_RATES = (
    select(TaxRate.tax_class, TaxRate.rate)
    .where(TaxRate.country == _COUNTRY, TaxRate.valid_from <= func.now())
    .order_by(TaxRate.tax_class, TaxRate.valid_from.desc())
    .ext(distinct_on(TaxRate.tax_class))
    .correlate(Cart)
    .subquery("rates")
)
_CART = json_object(
    id=Cart.id,
    version=Cart.version,
    currency=Cart.currency,
    status=Cart.status,
    expires_at=Cart.expires_at,
    shipping_address=Cart.shipping_address,
    shipping_method_id=Cart.shipping_method_id,
    email=select(User.email).where(User.id == Cart.user_id).correlate(Cart).scalar_subquery(),
    lines=func.coalesce(_LINES.scalar_subquery(), literally("'[]'::json")),
    methods=func.coalesce(_METHODS.scalar_subquery(), literally("'[]'::json")),
    tax_rates=select(
        func.coalesce(func.json_object_agg(_RATES.c.tax_class, cast(_RATES.c.rate, Text)), literally("'{}'::json"))
    ).scalar_subquery(),
)
