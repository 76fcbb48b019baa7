"""What is shown of a review: PostgreSQL builds the JSON, and the author's name never leaves it in full."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.models.products import Product
from app.models.reviews import WITHDRAWN_VERSION, Review
from app.models.users import User
from app.repositories.json_building import Value, json_object, json_time
from app.repositories.keyset import seek

ACTIVE = literal_column("'active'", Text)  # not parameters: a generic plan could not use the partial indexes
PUBLISHED = literal_column("'published'", Text)


def _part_of_name(pattern: str) -> ColumnElement[str]:
    return func.substring(User.full_name, literal_column(f"'{pattern}'", Text))


# `Ada King Lovelace` is shown as `Ada L.`. Some people give their address for a name: that is nobody's business.
# Without an account there is no name any more.
_INITIAL = literal_column("' '", Text) + _part_of_name(r"\s(\S)\S*$") + literal_column("'.'", Text)
_AUTHOR = case(
    (
        and_(
            User.status != literal_column("'anonymised'", Text),
            func.strpos(User.full_name, literal_column("'@'", Text)) == literal_column("0"),
        ),
        _part_of_name(r"^\S+") + func.coalesce(_INITIAL, literal_column("''", Text)),
    ),
    else_=literal_column("'Anonymous'", Text),
)
FIELDS: dict[str, Value] = {
    "id": Review.id,
    "product_id": Review.product_id,
    "rating": Review.rating,
    "title": Review.title,
    "body": Review.body,
    "author": _AUTHOR,
    "verified_purchase": Review.verified_purchase,
    "helpful_count": Review.helpful_count,
    "status": Review.status,
    "created_at": json_time(Review.created_at),
    "updated_at": json_time(Review.updated_at),
    "version": Review.version,
}
STANDS = Review.version > literal_column(str(WITHDRAWN_VERSION))
BY_AUTHOR = User.id == Review.user_id  # an outer join: reviews outlive their authors

# It takes `viewer` (an account, or None) and `sees_all` (for support), and answers a `ReviewDetail` in JSON.
_OWN = Review.user_id == bindparam("viewer", type_=Uuid)
_SEES_ALL = bindparam("sees_all", type_=Boolean)
_MODERATION = case(
    (
        and_(Review.moderated_at.is_not(None), or_(_OWN, _SEES_ALL)),
        json_object(reason=Review.moderation_reason, decided_at=json_time(Review.moderated_at)),
    )
)
_REVIEWED = json_object(id=Product.id, slug=Product.slug, name=Product.name)
DETAILS = (
    select(cast(json_object(**FIELDS, product=_REVIEWED, moderation=_MODERATION), Text).label("review"))
    .select_from(Review)
    .join(Product, Product.id == Review.product_id)
    .join(User, BY_AUTHOR, isouter=True)
)

# The review with this `id`, if the viewer may see it.
DETAIL = DETAILS.where(
    STANDS,
    Review.id == bindparam("id", type_=Uuid),
    or_(and_(Review.status == PUBLISHED, Product.status == ACTIVE), _OWN, _SEES_ALL),
)


@dataclass(frozen=True, slots=True)
class Sorting:
    """What a list of reviews is sorted by, and the id after that. None of it is ever NULL."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    falling: bool = True

    @property
    def keys(self) -> tuple[InstrumentedAttribute[Any], ...]:
        return (*self.columns, Review.id)

    def page(self, reviews: Select[Any], *, backwards: bool, continued: bool) -> Select[Any]:
        """The reviews with their keys, in the direction of reading; when continued, from the `after_...` on."""
        after: list[BindParameter[Any]] = [bindparam(f"after_{key.key}", type_=key.type) for key in self.keys]
        return seek(
            reviews.add_columns(*self.keys),
            *(key.expression for key in self.keys),
            falling=self.falling is not backwards,
            after=after if continued else None,
        )

    def place(self, values: Sequence[Any]) -> dict[str, Any]:
        """The parameters `after_...`, from the keys that a cursor has kept."""
        read: dict[type[Any], Callable[[Any], Any]] = {datetime: datetime.fromisoformat, UUID: UUID}
        return {
            f"after_{key.key}": read.get(key.type.python_type, int)(value)
            for key, value in zip(self.keys, values, strict=True)
        }
