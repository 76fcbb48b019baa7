"""Enough of a few things that no customer goes away because they are sold out."""

from uuid import uuid4

import httpx

from scripts.chaos.customers import API
from scripts.chaos.surroundings import ChaosShop

PLENTY = 1_000_000
ACCOUNT = {"username": "warehouse@example.com", "password": "emporium-demo"}  # public on purpose
SORTS = 6


def fill_the_shelves(shop: ChaosShop) -> list[str]:
    """The ids of variants that can be bought again and again."""
    with httpx.Client(base_url=shop.apis[0].url + API, timeout=30, trust_env=False) as client:
        tokens = client.post("/auth/token", data=ACCOUNT).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        products = client.get("/products", params={"limit": SORTS}).raise_for_status().json()["data"]
        variants = [
            client.get(f"/products/{product['id']}").raise_for_status().json()["variants"][0]["id"]
            for product in products
        ]
        items = [{"variant_id": variant, "delta": PLENTY} for variant in variants]
        headers = {"Idempotency-Key": str(uuid4())}
        body = {"items": items, "reason": "received"}
        client.post("/inventory/adjustments", json=body, headers=headers).raise_for_status()
    return variants
