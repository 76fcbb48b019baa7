"""Names made fit for an address, and addresses by id or by name."""

import re
import secrets
import unicodedata
from uuid import UUID

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_LONGEST_FROM_NAME = 100
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SLUG = re.compile(SLUG_PATTERN)


def slugify(name: str, *, fallback: str) -> str:
    """`Café Crème, 2 cups` → `cafe-creme-2-cups`; the fallback for a name without a single Latin letter or digit."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only)[:_LONGEST_FROM_NAME].strip("-") or fallback
    return with_suffix(slug) if looks_like_an_id(slug) else slug


def looks_like_an_id(slug: str) -> bool:
    """Nothing could be found by such a slug: an address of this form is an id."""
    return _UUID.fullmatch(slug) is not None


def with_suffix(slug: str) -> str:
    """Another slug for the same name, when the plain one is taken."""
    return f"{slug}-{secrets.token_hex(3)}"


def id_or_slug(address: str) -> UUID | str | None:
    """What the last step of a path names: an id, a slug, or nothing that could exist."""
    if _UUID.fullmatch(address):
        return UUID(address)
    return address if _SLUG.fullmatch(address) else None
