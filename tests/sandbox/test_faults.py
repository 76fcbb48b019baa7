"""Failures on demand."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe

from tests.sandbox.surroundings import Connect

CREATE: Any = {"amount": 1999, "currency": "eur"}
CREATE_AND_PAY: Any = CREATE | {"payment_method": "pm_card_visa", "confirm": True}


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


async def test_an_error_means_that_nothing_happened(
    raw: httpx.AsyncClient, web: httpx.AsyncClient, key: dict[str, str]
) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "error"})

    failed = await raw.post("/v1/payment_intents", data=CREATE, headers=key)
    again = await raw.post("/v1/payment_intents", data=CREATE, headers=key)

    assert (failed.status_code, failed.json()["error"]["type"]) == (500, "api_error")
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, None)


async def test_a_dropped_request_has_neither_effect_nor_answer(
    raw: httpx.AsyncClient, web: httpx.AsyncClient, key: dict[str, str]
) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "drop"})

    with pytest.raises(httpx.ReadTimeout):
        await raw.post("/v1/payment_intents", data=CREATE, headers=key, timeout=0.2)
    again = await raw.post("/v1/payment_intents", data=CREATE, headers=key)

    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, None)


async def test_a_timeout_takes_effect_all_the_same(
    raw: httpx.AsyncClient, web: httpx.AsyncClient, key: dict[str, str]
) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "timeout"})

    with pytest.raises(httpx.ReadTimeout):
        await raw.post("/v1/payment_intents", data=CREATE_AND_PAY, headers=key, timeout=0.2)
    again = await raw.post("/v1/payment_intents", data=CREATE_AND_PAY, headers=key)

    assert (again.json()["status"], again.headers["idempotent-replayed"]) == ("succeeded", "true")


@pytest.mark.parametrize("mode", ["error", "drop", "timeout"])
async def test_stripes_library_gets_over_it_by_itself(connect: Connect, web: httpx.AsyncClient, mode: str) -> None:
    await web.post("/faults", json={"target": "payments", "mode": mode})

    intent = await connect(timeout=0.3, retries=2).v1.payment_intents.create_async(CREATE_AND_PAY)

    assert intent.status == "succeeded"


async def test_a_patient_client_gets_504_in_the_end(raw: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "timeout", "delay_ms": 50})

    response = await raw.post("/v1/payment_intents", data=CREATE)

    assert response.status_code == 504


async def test_a_good_card_is_declined_on_demand(payments: stripe.StripeClient, web: httpx.AsyncClient) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "decline"})

    with pytest.raises(stripe.CardError) as declined:
        await payments.v1.payment_intents.create_async(CREATE_AND_PAY)
    paid = await payments.v1.payment_intents.create_async(CREATE_AND_PAY)

    assert declined.value.code == "card_declined"
    assert paid.status == "succeeded"


async def test_waiting_faults_are_listed_used_up_and_cleared(raw: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    fault = {"target": "payments", "mode": "error", "count": 3, "delay_ms": 0}

    created = await web.post("/faults", json=fault)
    await raw.post("/v1/payment_intents", data=CREATE)
    listed = await web.get("/faults")
    cleared = await web.delete("/faults")

    assert (created.status_code, created.json()) == (201, fault)
    assert listed.json() == {"data": [{**fault, "count": 2}]}
    assert cleared.status_code == 204
    assert (await web.get("/faults")).json() == {"data": []}
    assert (await raw.post("/v1/payment_intents", data=CREATE)).status_code == 200


async def test_reading_uses_up_no_fault(payments: stripe.StripeClient, web: httpx.AsyncClient) -> None:
    intent = await payments.v1.payment_intents.create_async(CREATE)
    await web.post("/faults", json={"target": "payments", "mode": "error"})

    await payments.v1.payment_intents.retrieve_async(intent.id)

    assert len((await web.get("/faults")).json()["data"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"target": "payments", "mode": "duplicate"},
        {"target": "smtp", "mode": "decline"},
        {"target": "webhooks", "mode": "error"},
        {"target": "vies", "mode": "error"},
        {"target": "payments", "mode": "explode"},
        {"target": "payments", "mode": "error", "count": 0},
        {"target": "payments", "mode": "delay"},
        {"target": "payments", "mode": "delay", "delay_ms": -1},
        {"target": "payments", "mode": "error", "colour": "red"},
        {},
        [],
    ],
)
async def test_an_impossible_fault_is_refused(web: httpx.AsyncClient, body: Any) -> None:
    response = await web.post("/faults", json=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["msg"]
    assert (await web.get("/faults")).json() == {"data": []}


@pytest.mark.parametrize(
    ("body", "content_type", "status_code"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b'{"target": "payments", "mode": "error", "count": 1e400}', "application/json", 422),
        (b"\xff", "application/json", 400),
        (b"\xff", "text/plain", 422),
    ],
)
async def test_a_broken_body_is_refused(
    web: httpx.AsyncClient, body: bytes, content_type: str, status_code: int
) -> None:
    response = await web.post("/faults", content=body, headers={"Content-Type": content_type})

    assert response.status_code == status_code
    assert response.json()["detail"]
