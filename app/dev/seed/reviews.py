"""What customers say of what is on sale, most of it kind. Triggers make ratings of it as they do in the shop."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.dev.seed.catalogue import TEXTS
from app.dev.seed.ids import Ids
from app.dev.seed.loader import Loader
from app.models.reviews import Review, ReviewStatus, ReviewVote

REMEMBERED = timedelta(days=200)  # by then all customers had their account
JUST_NOW = timedelta(hours=1)
TRIED = timedelta(days=5)  # what one bought, or what is new in the shop
_STARS = {5: 44, 4: 30, 3: 12, 2: 7, 1: 4}

_BARE = 0.2  # so many give stars and say nothing


@dataclass(frozen=True, slots=True)
class OnSale:
    """A product that may be reviewed, and since when. `original`: a hand-written one, and no later edition of it."""

    product_id: UUID
    category: str
    since: datetime
    original: bool


@dataclass(frozen=True, slots=True)
class _Text:
    stars: int
    title: str
    body: str
    refusal: str | None = None


class Critics:
    """Writes reviews and the votes on them.

    `bought` says for each product which customer first ordered it when; `moderator` rejects.
    """

    def __init__(
        self,
        loader: Loader,
        ids: Ids,
        random: Random,
        customers: Sequence[UUID],
        bought: Mapping[UUID, Mapping[UUID, datetime]],
        moderator: UUID,
        now: datetime,
    ) -> None:
        self._loader = loader
        self._ids = ids
        self._random = random
        self._customers = customers
        self._bought = bought
        self._moderator = moderator
        self._now = now
        texts = tomllib.loads((TEXTS / "reviews.toml").read_text(encoding="utf-8"))
        self._texts = {category: _texts(category, texts) for category in texts["of"]}
        self._notable = [(ReviewStatus.PENDING, _Text(*text)) for text in texts["held"]]
        self._notable += [(ReviewStatus.REJECTED, _Text(*text)) for text in texts["rejected"]]

    def write(self, on_sale: Sequence[OnSale]) -> Iterator[None]:
        """Review the products, and some of the originals in a way that support looks at; one product a step."""
        originals = [product for product in on_sale if product.original]
        chosen = self._random.sample(originals, min(len(originals), len(self._notable)))
        notable = {product.product_id: self._notable[place] for place, product in enumerate(chosen)}
        for product in on_sale:
            authors = self._authors(product)
            if authors and product.product_id in notable:
                self._write_review(product, *authors.pop(), *notable[product.product_id])
            self._write_reviews(product, authors)
            yield

    def _authors(self, product: OnSale) -> list[tuple[UUID, datetime]]:
        """Who reviews the product and when: most of those who bought it, after they have tried it, and others."""
        earliest, latest = max(product.since + TRIED, self._now - REMEMBERED), self._now - JUST_NOW
        bought = self._bought.get(product.product_id, {})
        buyers = [who for who in self._customers if who in bought and self._random.random() < 0.7]
        number = max(len(buyers), min(self._popularity(product), len(self._customers)))
        others = self._random.sample(self._customers, number)
        authors = []
        for who in list(dict.fromkeys([*buyers, *others]))[:number]:
            ready = max(earliest, bought[who] + TRIED) if who in bought else earliest
            if ready < latest:
                authors.append((who, ready + (latest - ready) * self._random.random()))
        return authors

    def _popularity(self, product: OnSale) -> int:
        if product.original:
            return int(self._random.triangular(2, 15, 5))
        return self._random.randint(1, 3) if self._random.random() < 0.3 else 0

    def _write_reviews(self, product: OnSale, authors: Sequence[tuple[UUID, datetime]]) -> None:
        charm = self._random.uniform(0.7, 1.6)
        weights = [weight * charm ** (stars - 3) for stars, weight in _STARS.items()]
        unsaid = self._texts[product.category]
        for author, at in authors:
            [stars] = self._random.choices(list(_STARS), weights)
            fitting = [text for text in unsaid if text.stars == stars]
            text = _Text(stars, "", "")
            if fitting and self._random.random() > _BARE:
                text = self._random.choice(fitting)
                unsaid = [other for other in unsaid if other != text]
            review_id = self._write_review(product, author, at, ReviewStatus.PUBLISHED, text)
            if product.original and text.body:
                self._write_votes(review_id, author, at)

    def _write_review(self, product: OnSale, author: UUID, at: datetime, status: ReviewStatus, text: _Text) -> UUID:
        review_id = self._ids()
        decided = None if text.refusal is None else at + (self._now - at) / 2
        self._loader.add(
            Review,
            id=review_id,
            product_id=product.product_id,
            user_id=author,
            rating=text.stars,
            title=text.title,
            body=text.body,
            status=status,
            verified_purchase=author in self._bought.get(product.product_id, {}),
            moderation_reason=text.refusal,
            moderated_by=decided and self._moderator,
            moderated_at=decided,
            version=2 if decided else 1,
            created_at=at,
            updated_at=decided or at,
        )
        return review_id

    def _write_votes(self, review_id: UUID, author: UUID, at: datetime) -> None:
        number = min(int(self._random.expovariate(0.6)), len(self._customers))
        for voter in self._random.sample(self._customers, number):
            if voter != author:
                self._loader.add(
                    ReviewVote,
                    review_id=review_id,
                    user_id=voter,
                    helpful=self._random.random() < 0.85,
                    created_at=at + (self._now - at) * self._random.random(),
                )


def _texts(category: str, texts: dict[str, Any]) -> list[_Text]:
    """What may be said of products of this category, its own texts three times as likely."""
    lasting = [] if category in texts["fleeting"] else texts["lasting"]
    return [_Text(*text) for text in (*texts["of"][category] * 3, *texts["any"], *lasting)]
