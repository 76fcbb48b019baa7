"""Access tokens: only what this service issued, for this use, and not yet expired."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from jose import jwk, jwt

from app.core.clock import now
from app.core.ids import uuid7
from app.core.security import AccessTokens, TokenError, derive_key, digest, new_secret
from app.core.signing_keys import SigningKeys, new_pem
from tests.support.forgeries import Forger, unpacked

SECRET = "a secret for tests only, of forty bytes.."
USER, SESSION = uuid7(), uuid7()
RINGS = {
    "ES256": SigningKeys.from_pem(new_pem() + new_pem()),
    "HS256": SigningKeys.shared(derive_key(SECRET, "access-token")),
}
LIFETIME = timedelta(minutes=15)


@pytest.fixture(params=RINGS)
def tokens(request: pytest.FixtureRequest) -> AccessTokens:
    return AccessTokens(RINGS[request.param], LIFETIME)


def forger(algorithm: str) -> Forger:
    tokens = AccessTokens(RINGS[algorithm], LIFETIME)
    return Forger(tokens.issue(USER, SESSION, "customer"), tokens.keys.current)


FORGERIES = [
    pytest.param(algorithm, forged, id=f"{algorithm} {name}")
    for algorithm in RINGS
    for name, forged in forger(algorithm).all().items()
]


def test_a_token_says_who_is_asking_what_for_and_for_how_long(tokens: AccessTokens) -> None:
    before = now()

    claims = tokens.read(tokens.issue(USER, SESSION, "orders:read catalog:write"))

    assert (claims.user_id, claims.session_id) == (USER, SESSION)
    assert claims.scopes == {"orders:read", "catalog:write"}
    assert timedelta(minutes=14, seconds=59) <= claims.expires_at - before <= timedelta(minutes=15, seconds=1)


def test_a_token_has_the_shape_of_rfc_9068(tokens: AccessTokens) -> None:
    head, claims = unpacked(tokens.issue(USER, SESSION, "customer"))

    assert head == {"typ": "at+jwt", "alg": tokens.keys.current.algorithm, "kid": tokens.keys.current.id}
    assert claims.keys() == {"iss", "aud", "sub", "sid", "scope", "jti", "iat", "nbf", "exp"}
    assert claims["nbf"] == claims["iat"] == claims["exp"] - LIFETIME.total_seconds()


def test_no_two_tokens_are_the_same(tokens: AccessTokens) -> None:
    ids = {unpacked(tokens.issue(USER, SESSION, "customer"))[1]["jti"] for _ in range(100)}

    assert len(ids) == 100


def test_the_forger_makes_good_tokens_when_asked_to(tokens: AccessTokens) -> None:
    forger = Forger(tokens.issue(USER, SESSION, "customer"), tokens.keys.current)

    assert tokens.read(forger.signed()).user_id == tokens.read(forger.of_raw()).user_id == USER


def test_there_are_enough_forgeries() -> None:
    assert min(len(forger(algorithm).all()) for algorithm in RINGS) >= 60


@pytest.mark.parametrize(("algorithm", "forged"), FORGERIES)
def test_a_forged_token_is_refused_whatever_the_library_makes_of_it(algorithm: str, forged: str) -> None:
    with pytest.raises(TokenError):
        AccessTokens(RINGS[algorithm], LIFETIME).read(forged)


@pytest.mark.parametrize("garbage", ["é.é.é", "\ud800", "A" * 10_000_000], ids=["é", "half a character", "10 MB"])
def test_garbage_is_refused_that_no_header_could_bring(tokens: AccessTokens, garbage: str) -> None:
    with pytest.raises(TokenError):
        tokens.read(garbage)


def test_every_flipped_bit_of_a_signature_is_noticed(tokens: AccessTokens) -> None:
    message, _, signature = tokens.issue(USER, SESSION, "customer").rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, letter in enumerate(signature):
        for bit in range(6):
            other = alphabet[alphabet.index(letter) ^ 1 << bit]
            with pytest.raises(TokenError):
                tokens.read(f"{message}.{signature[:place]}{other}{signature[place + 1 :]}")


@pytest.mark.parametrize(("ahead", "good"), [(-600, True), (0, True), (20, True), (60, False), (600, False)])
def test_another_machines_clock_may_be_half_a_minute_ahead(tokens: AccessTokens, ahead: int, good: bool) -> None:
    forger = Forger(tokens.issue(USER, SESSION, "customer"), tokens.keys.current)
    token = forger.signed(nbf=int(now().timestamp()) + ahead)

    if good:
        assert tokens.read(token).user_id == USER
    else:
        with pytest.raises(TokenError):
            tokens.read(token)


def test_a_checked_token_ends_when_it_says(tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(USER, SESSION, "customer")
    end = tokens.read(token).expires_at

    monkeypatch.setattr("app.core.security.now", lambda: end - timedelta(milliseconds=1))
    assert tokens.read(token).user_id == USER
    monkeypatch.setattr("app.core.security.now", lambda: end)
    with pytest.raises(TokenError):
        tokens.read(token)


def test_a_signature_is_checked_once(tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(USER, SESSION, "customer")
    claims = tokens.read(token)

    monkeypatch.setattr("app.core.security.jwt.decode", _never)
    assert tokens.read(token) is claims


def _never(*_: object, **__: object) -> None:
    raise AssertionError("checked again")


# Keys


def test_keys_rotate_without_a_moment_in_which_a_good_token_is_refused() -> None:
    old, new = new_pem(), new_pem()
    stages = [old, old + new, new + old, new]
    processes = [AccessTokens(SigningKeys.from_pem(stage), LIFETIME) for stage in stages]

    for before, after in itertools.pairwise(processes):  # side by side during a deployment
        assert before.read(after.issue(USER, SESSION, "customer")).user_id == USER
        assert after.read(before.issue(USER, SESSION, "customer")).user_id == USER
    assert processes[3].read(processes[2].issue(USER, SESSION, "customer")).user_id == USER
    with pytest.raises(TokenError):
        processes[3].read(processes[1].issue(USER, SESSION, "customer"))


def test_anybody_can_check_a_token_with_what_is_published() -> None:
    keys = RINGS["ES256"]
    token = AccessTokens(keys, LIFETIME).issue(USER, SESSION, "customer")

    [published] = [each for each in keys.published() if each["kid"] == jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, jwk.construct(published).to_dict(), ["ES256"], audience="emporium-api")

    assert claims["sub"] == str(USER)
    assert len(keys.published()) == 2
    assert all(each.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"} for each in keys.published())


def test_a_shared_secret_is_not_published() -> None:
    assert RINGS["HS256"].published() == []


def test_a_key_has_the_same_id_everywhere() -> None:
    pem = new_pem()

    assert SigningKeys.from_pem(pem).current.id == SigningKeys.from_pem(pem.replace("\n", "\\n")).current.id
    assert SigningKeys.from_pem(pem).current.id != SigningKeys.from_pem(new_pem()).current.id


@pytest.mark.parametrize("key_id", [None, 1, [], {}, "", "' OR 1=1", "../key"])
def test_an_unknown_key_id_is_just_unknown(key_id: object) -> None:
    assert RINGS["ES256"].get(key_id) is None


NO_SIGNING_KEYS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no PEM": lambda: "a secret",
    "a key and something else": lambda: new_pem() + "and more",
    "of another curve": lambda: _pem_of(ec.generate_private_key(ec.SECP384R1())),
    "of RSA": lambda: _pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "behind a passphrase": lambda: _pem_of(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"open")),
    "a public key": lambda: RINGS["ES256"].current.verifies.to_pem().decode(),
}


@pytest.mark.parametrize("make", NO_SIGNING_KEYS.values(), ids=NO_SIGNING_KEYS)
def test_only_private_keys_of_one_curve_sign(make: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match="signing key"):
        SigningKeys.from_pem(make())


def _pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, lock: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption()).decode()


def test_secrets_are_256_bits_and_only_their_digest_is_for_keeping() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}
    assert len(digest(secrets.pop())) == 32


def test_ids_are_version_7_and_sort_by_time() -> None:
    first = UUID(int=uuid7().int)

    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert abs((first.int >> 80) / 1000 - now().timestamp()) < 5
