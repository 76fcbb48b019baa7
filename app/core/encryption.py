"""Authenticated encryption of what the database must not show to whoever gets hold of a copy of it.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, which is good for 2^32 texts of one key (§8.3). The
context, such as `users.phone`, is authenticated but not stored: a text that was copied into another column is refused
there.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.security import derive_key

_FORMAT = "v1"
_NONCE_BYTES = 12
_ID_LENGTH = 8


class Undecipherable(Exception):
    """The text was not encrypted by one of these keys for this place, or was changed since."""


class UnknownKey(Undecipherable):
    """The key that encrypted the text is not (any more) among ours."""


class KeyRing:
    """The first key encrypts, all decrypt: so a new one is put in front, and the old one can go after a rotation.

    A ciphertext reads `v1.<key's id>.<base64url of nonce, text and tag>`. The id is derived from the key and tells
    nothing about it.
    """

    def __init__(self, key_secrets: Sequence[str]) -> None:
        if not key_secrets:
            raise ValueError("a key ring needs a key")
        self._ciphers = {
            derive_key(secret, "encryption-key-id").hex()[:_ID_LENGTH]: AESGCM(derive_key(secret, "encryption"))
            for secret in key_secrets
        }
        self.current = next(iter(self._ciphers))
        self.current_prefix = f"{_FORMAT}.{self.current}."

    def encrypt(self, text: str, context: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self.current].encrypt(nonce, text.encode(), context.encode())
        return self.current_prefix + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def decrypt(self, ciphertext: str, context: str) -> str:
        """The text that was encrypted for the same context.

        Raises:
            UnknownKey: names the id of the key that is missing.
            Undecipherable: it is no ciphertext, not one for this context, or not as it was written.
        """
        form, _, rest = ciphertext.partition(".")
        key_id, _, encoded = rest.partition(".")
        if form != _FORMAT or not encoded:
            raise Undecipherable("not a ciphertext")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKey(f"no key {key_id!r}")
        try:
            sealed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise Undecipherable(f"not written as it is for {context}") from error

    def is_current(self, ciphertext: str) -> bool:
        """Whether the first key encrypted it."""
        return ciphertext.startswith(self.current_prefix)
