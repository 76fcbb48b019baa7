"""Passwords that this shop does not take (OWASP ASVS 5.0 §6.2.4, §6.2.11 and §6.2.12)."""

from app.core.password_rules import is_made_of, is_too_common
from app.errors import PasswordTooCommon

# Every word that stands for this shop. `emporium-demo` is the published password of the seeded accounts.
WORDS_OF_THE_SHOP = ("emporium", "emporium-demo", "emporium-shop", "the-emporium", "my-emporium")


def refuse_common(password: str, pointer: str) -> None:
    """Raise `PasswordTooCommon` for one that anybody would guess. `pointer` is where it stands in the body."""
    if is_too_common(password) or is_made_of(password, WORDS_OF_THE_SHOP):
        raise PasswordTooCommon.at(pointer, "Too many people use it, or it follows a simple pattern.")


def refuse_personal(password: str, pointer: str, email: str, full_name: str) -> None:
    """Raise `PasswordTooCommon` for one that everybody would guess who knows the person."""
    local_part, _, domain = email.partition("@")
    if is_made_of(password, (email, local_part, domain, domain.partition(".")[0], full_name, *full_name.split())):
        raise PasswordTooCommon.at(pointer, "It is your name or your e-mail address.")
