"""Codes of authenticator apps, by the vectors of RFC 6238, appendix B."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.totp import STEP, code_at, new_totp_secret, provisioning_uri, step_of

SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(seconds // STEP, SECRET) == code
    assert step_of(code, SECRET, datetime.fromtimestamp(seconds, UTC)) == seconds // STEP


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_off(steps: int, good: bool) -> None:
    at = datetime(2026, 11, 22, 12, 0, 15, tzinfo=UTC)
    current = int(at.timestamp()) // STEP

    step = step_of(code_at(current, SECRET), SECRET, at + steps * timedelta(seconds=STEP))

    assert step == (current if good else None)


@pytest.mark.parametrize("code", ["", "28708", "2870821", "28708x", "٢٨٧٠٨٢", "287 082"])
def test_anything_else_is_no_code(code: str) -> None:
    assert step_of(code, SECRET, datetime.fromtimestamp(59, UTC)) is None


def test_a_secret_has_160_bits_of_its_own() -> None:
    one, other = new_totp_secret(), new_totp_secret()

    assert len(base64.b32decode(one)) == 20
    assert one != other


def test_an_app_reads_all_from_the_address() -> None:
    uri = urlsplit(provisioning_uri(SECRET, "ada+shop@example.com", "Emporium"))

    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Emporium:ada%2Bshop%40example.com")
    assert parse_qs(uri.query) == {
        "secret": [SECRET],
        "issuer": ["Emporium"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
