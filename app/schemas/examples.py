"""The examples of the API's description. They tell one purchase: a T-shirt is found, put in a cart, ordered and paid.

Ids and amounts go together from one operation to the next, and are what the shop would really ask: 19% tax is contained
in the prices, and below 50.00 a parcel costs 4.90.
"""

from pydantic.config import JsonDict

from app.schemas.base import CURRENCY


def _id(number: int) -> str:
    return f"0198c0de-0000-7000-8000-{number:012x}"


def _euros(amount: int) -> JsonDict:
    return {"amount": amount, "currency": CURRENCY}


# The catalogue

VARIANT_ID = _id(0xB)

TEE: JsonDict = {
    "name": "Heavy cotton tee",
    "summary": "A T-shirt that survives its owner.",
    "description": "Two hundred and twenty grams of organic cotton.",
    "category_ids": [],
    "attributes": {"material": "cotton", "organic": True},
    "options": [{"name": "Size", "values": ["S", "M", "L"]}],
    "status": "draft",
}
TEE_IN_M: JsonDict = {
    "sku": "TEE-M",
    "option_values": {"Size": "M"},
    "price": _euros(1999),
    "compare_at": _euros(2499),
    "weight_g": 180,
    "stock": 100,
}
VARIANT: JsonDict = {
    **{field: TEE_IN_M[field] for field in ("sku", "price", "compare_at", "weight_g")},
    "id": VARIANT_ID,
    "options": TEE_IN_M["option_values"],
    "available": TEE_IN_M["stock"],
    "status": "active",
    "version": 1,
}
_FOLDER = "http://localhost:8000/media/3f/9c1e07b58f6f4d0a86b3f2c4ad31b0e9d6a1f7"
PICTURE: JsonDict = {
    "id": _id(0xA1),
    "url": f"{_FOLDER}/1600.webp",
    "alt": TEE["name"],
    "width": 1600,
    "height": 1200,
    "position": 0,
    "renditions": [
        {"url": f"{_FOLDER}/{width}.webp", "width": width, "height": width * 3 // 4} for width in (320, 640, 1280)
    ],
}
_IN_A_LIST_AND_ALONE: JsonDict = {
    "id": _id(0xA),
    "slug": "heavy-cotton-tee",
    "name": TEE["name"],
    "summary": TEE["summary"],
    "rating": {"average": 4.5, "count": 12},
}
PRODUCT_CARD: JsonDict = {
    **_IN_A_LIST_AND_ALONE,
    "thumbnail": {"url": f"{_FOLDER}/320.webp", "alt": PICTURE["alt"]},
    "price_from": VARIANT["price"],
    "compare_at": VARIANT["compare_at"],
    "in_stock": True,
}
PRODUCT: JsonDict = {
    **_IN_A_LIST_AND_ALONE,
    **{field: TEE[field] for field in ("description", "attributes", "options")},
    "status": "active",
    "variants": [VARIANT],
    "media": [PICTURE],
    "categories": [{"id": _id(0xC2), "slug": "tees", "name": "T-shirts"}],
    "version": 3,
    "created_at": "2026-01-02T08:00:00Z",
    "updated_at": "2026-01-02T08:05:00Z",
    "published_at": "2026-01-02T08:05:00Z",
}

# Its reviews

REVIEW_WRITTEN: JsonDict = {
    "rating": 5,
    "title": "Outlived two washing machines",
    "body": "Thick, true to size, and still black after a year.\nI have ordered three more.",
}
REVIEW: JsonDict = {
    "id": _id(0xAA),
    "product_id": _IN_A_LIST_AND_ALONE["id"],
    **REVIEW_WRITTEN,
    "author": "Ada L.",
    "verified_purchase": True,
    "helpful_count": 7,
    "status": "published",
    "created_at": "2026-01-09T18:30:00Z",
    "updated_at": "2026-01-09T18:30:00Z",
    "version": 1,
}
REVIEW_DETAIL: JsonDict = {
    **REVIEW,
    "product": {field: _IN_A_LIST_AND_ALONE[field] for field in ("id", "slug", "name")},
    "moderation": None,
}
REVIEW_REJECTED: JsonDict = {"status": "rejected", "reason": "This is about the parcel service, not about the product."}
REVIEW_VOTE: JsonDict = {"review_id": REVIEW["id"], "helpful": True, "helpful_count": 8}
PRODUCT_REVIEWS: JsonDict = {
    "data": [REVIEW],
    "page": {
        "next_cursor": "KfQCb7xhu7-fmOJlZuBCBFtbIjIwMjYtMDEtMDIiXSxmYWxzZV0",
        "prev_cursor": None,
        "has_more": True,
        "limit": 1,
        "total": None,
    },
    "summary": {"average": 4.5, "count": 12, "distribution": {"1": 0, "2": 1, "3": 1, "4": 1, "5": 9}},
}

# Accounts

ACCOUNT: JsonDict = {
    "id": _id(0xAC),
    "email": "ada@example.com",
    "full_name": "Ada Lovelace",
    "phone": "+49 30 901820",
    "role": "customer",
    "email_verified_at": "2026-11-22T15:04:05Z",
    "created_at": "2026-11-22T15:00:00Z",
    "version": 1,
}
ACCOUNT_FOR_STAFF: JsonDict = {
    **{name: value for name, value in ACCOUNT.items() if name != "phone"},
    "status": "active",
}

JOB: JsonDict = {
    "id": _id(0xE9),
    "type": "personal_data_export",
    "status": "succeeded",
    "progress": 100,
    "error": None,
    "created_at": "2026-11-22T15:00:00Z",
    "started_at": "2026-11-22T15:00:01Z",
    "finished_at": "2026-11-22T15:00:02Z",
    "expires_at": "2026-11-23T15:00:02Z",
}
PERSONAL_DATA: JsonDict = {
    "exported_at": "2026-11-22T15:00:02Z",
    "account": ACCOUNT,
    "addresses": [],
    "orders": [],
}

# The cart

CART_TOKEN = "Zm9yLXRoZS1ndWVzdC1jYXJ0LW9ubHktMzItYnl0ZXM"  # noqa: S105 - opens no cart
ADDRESS: JsonDict = {
    "full_name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}
SAVED_ADDRESS: JsonDict = {
    "id": _id(0xE8),
    **ADDRESS,
    "phone": "+49 30 901820",
    "is_default_shipping": True,
    "is_default_billing": False,
    "created_at": "2026-01-09T18:30:00Z",
    "updated_at": "2026-01-09T18:30:00Z",
    "version": 1,
}
SHIPPING_OPTION: JsonDict = {
    "id": _id(0xE1),
    "code": "standard",
    "name": "Standard, 2 to 4 days",
    "price": _euros(490),
}
SHIPPING_OPTIONS: JsonDict = {
    "data": [
        SHIPPING_OPTION,
        {"id": _id(0xE2), "code": "express", "name": "Express, next working day", "price": _euros(990)},
    ]
}
_LINE: JsonDict = {
    "id": _id(0xD1),
    "variant_id": VARIANT_ID,
    "sku": VARIANT["sku"],
    "name": TEE["name"],
    "options": VARIANT["options"],
    "quantity": 2,
    "unit_price": VARIANT["price"],
    "subtotal": _euros(3998),
    "discount": _euros(0),
    "tax": _euros(638),
    "total": _euros(3998),
}
_TOTALS: JsonDict = {
    "subtotal": _euros(3998),
    "discount": _euros(0),
    "shipping": _euros(490),
    "tax": _euros(716),
    "total": _euros(4488),
}
CART: JsonDict = {
    "id": _id(0xD),
    "version": 4,
    "currency": CURRENCY,
    "status": "active",
    "lines": [{**_LINE, "available": VARIANT["available"], "warnings": []}],
    "coupons": [],
    "discounts": [],
    "shipping": {"address": ADDRESS, "method": SHIPPING_OPTION},
    "totals": _TOTALS,
    "prices_include_tax": True,
    "warnings": [],
    "expires_at": "2026-02-01T09:58:00Z",
}

# The order and its payment

_ORDER_ID = _id(0xF)
_PLACED_AT, _PAID_AT = "2026-01-02T10:00:00Z", "2026-01-02T10:01:30Z"
ORDER: JsonDict = {
    "id": _ORDER_ID,
    "number": "EM-1042",
    "status": "confirmed",
    "payment_status": "paid",
    "fulfillment_status": "unfulfilled",
    "currency": CURRENCY,
    "email": "ada@example.com",
    "lines": [{**_LINE, "id": _id(0xF1)}],
    "totals": _TOTALS,
    "prices_include_tax": True,
    "shipping_address": ADDRESS,
    "billing_address": ADDRESS,
    "shipping_method": SHIPPING_OPTION["name"],
    "notes": None,
    "placed_at": _PLACED_AT,
    "expires_at": "2026-01-02T10:15:00Z",
    "version": 3,
}
PAYMENT: JsonDict = {
    "id": _id(0xF2),
    "order_id": _ORDER_ID,
    "status": "requires_payment_method",
    "amount": _TOTALS["total"],
    "client_secret": "pi_3QKq2vJ0l4bq6H1Y_secret_x3mWc8RkT5sNd9aG",
    "next_action": None,
}
ORDER_PLACED: JsonDict = {
    **ORDER,
    "status": "pending_payment",
    "payment_status": "pending",
    "version": 1,
    "payment": PAYMENT,
    "order_token": "Zm9yLXRoaXMtb25lLW9yZGVyLW9ubHktMzItYnl0ZXM",
}
PAYMENT_MADE: JsonDict = {**PAYMENT, "status": "succeeded", "order": ORDER}
ORDER_EVENTS: JsonDict = {
    "data": [
        {"id": _id(0xF3), "type": "order.placed", "data": {}, "created_at": _PLACED_AT},
        {"id": _id(0xF4), "type": "payment.captured", "data": {"amount": 4488}, "created_at": _PAID_AT},
        {"id": _id(0xF5), "type": "order.confirmed", "data": {}, "created_at": _PAID_AT},
    ]
}

# The warehouse

_DELIVERY_NOTE, _ADJUSTMENT_ID = "DN-2026-0107", _id(0x51)
STOCK_LEVEL: JsonDict = {
    "variant_id": VARIANT_ID,
    "sku": VARIANT["sku"],
    "product": {"id": _id(0xA), "slug": "heavy-cotton-tee", "name": TEE["name"]},
    "options": VARIANT["options"],
    "on_hand": 124,
    "reserved": 2,
    "available": 122,
    "backorder_limit": 0,
    "reorder_point": 20,
    "low_stock": False,
}
ADJUSTMENT_TO_MAKE: JsonDict = {
    "items": [{"variant_id": VARIANT_ID, "delta": 24, "expected_on_hand": 100}],
    "reason": "received",
    "reference": _DELIVERY_NOTE,
}
ADJUSTED_LEVEL: JsonDict = {**STOCK_LEVEL, "delta": 24}
ADJUSTMENT: JsonDict = {
    "id": _ADJUSTMENT_ID,
    "reason": "received",
    "reference": _DELIVERY_NOTE,
    "items": [ADJUSTED_LEVEL],
}
STOCK_MOVEMENT: JsonDict = {
    "id": _id(0x52),
    "variant_id": VARIANT_ID,
    "sku": VARIANT["sku"],
    "on_hand_delta": 24,
    "reserved_delta": 0,
    "reason": "received",
    "reference": _DELIVERY_NOTE,
    "adjustment_id": _ADJUSTMENT_ID,
    "actor_id": _id(0x5A),
    "api_key_id": None,
    "created_at": "2026-01-07T08:30:00Z",
}
STOCK_RESERVATION: JsonDict = {
    "id": _id(0x53),
    "order_id": _ORDER_ID,
    "order_number": ORDER["number"],
    "variant_id": VARIANT_ID,
    "sku": VARIANT["sku"],
    "quantity": 2,
    "status": "committed",
    "expires_at": ORDER["expires_at"],
}
