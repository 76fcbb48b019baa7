"""What is encrypted at rest: nobody reads it, changes it or moves it elsewhere without being found out."""

import base64
from collections import Counter

import pytest

from app.core.encryption import KeyRing, Undecipherable, UnknownKey

OLD, NEW = "the key of last year, of 32 bytes and more", "the key of this year, of 32 bytes and more"
PLACE = "users.phone"
PHONE = "+44 20 7946 0958"


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing([NEW])


@pytest.mark.parametrize("text", ["", PHONE, "Straße 1, 東京 🛒", "x" * 100_000])
def test_a_text_comes_back_as_it_was(keys: KeyRing, text: str) -> None:
    assert keys.decrypt(keys.encrypt(text, PLACE), PLACE) == text


def test_a_ciphertext_shows_nothing_of_its_text(keys: KeyRing) -> None:
    ciphertext = keys.encrypt(PHONE, PLACE)
    form, key_id, encoded = ciphertext.split(".")

    assert (form, key_id) == ("v1", keys.current)
    assert PHONE.encode() not in base64.urlsafe_b64decode(encoded + "==")
    assert NEW not in ciphertext


def test_the_same_text_is_never_encrypted_the_same_way_twice(keys: KeyRing) -> None:
    assert Counter(Counter(keys.encrypt(PHONE, PLACE) for _ in range(100)).values()) == {1: 100}


def test_every_change_of_a_ciphertext_is_found_out(keys: KeyRing) -> None:
    prefix, _, encoded = keys.encrypt(PHONE, PLACE).rpartition(".")
    sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Undecipherable):
            keys.decrypt(f"{prefix}.{base64.urlsafe_b64encode(changed).rstrip(b'=').decode()}", PLACE)


def test_a_ciphertext_of_one_column_is_refused_in_another(keys: KeyRing) -> None:
    with pytest.raises(Undecipherable):
        keys.decrypt(keys.encrypt("JBSWY3DPEHPK3PXP", "users.totp_secret"), PLACE)


@pytest.mark.parametrize(
    "rubbish", ["", PHONE, "v1", "v1.", "v1..", "v1.{id}", "v1.{id}.", "v1.{id}.AAAA", "v1.{id}.*", "v2.{id}.AAAA"]
)
def test_what_is_no_ciphertext_is_refused_and_not_taken_for_clear_text(keys: KeyRing, rubbish: str) -> None:
    with pytest.raises(Undecipherable):
        keys.decrypt(rubbish.format(id=keys.current), PLACE)


def test_a_new_key_in_front_encrypts_and_the_old_one_still_decrypts() -> None:
    old, rotating, new = KeyRing([OLD]), KeyRing([NEW, OLD]), KeyRing([NEW])
    before = old.encrypt(PHONE, PLACE)

    assert not rotating.is_current(before)
    after = rotating.encrypt(rotating.decrypt(before, PLACE), PLACE)
    assert rotating.is_current(after)
    assert new.decrypt(after, PLACE) == PHONE


def test_a_text_of_a_key_that_is_gone_names_the_key() -> None:
    with pytest.raises(UnknownKey, match=KeyRing([OLD]).current):
        KeyRing([NEW]).decrypt(KeyRing([OLD]).encrypt(PHONE, PLACE), PLACE)


def test_a_ciphertext_that_claims_another_key_is_refused() -> None:
    keys = KeyRing([NEW, OLD])

    with pytest.raises(Undecipherable):
        keys.decrypt(keys.encrypt(PHONE, PLACE).replace(keys.current, KeyRing([OLD]).current), PLACE)


def test_a_ring_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        KeyRing([])
