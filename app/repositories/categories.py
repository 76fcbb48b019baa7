"""The tree of categories, as rows to change."""

from app.models.categories import Category
from app.repositories.base import ModelRepository


class CategoryRepository(ModelRepository[Category]):
    model = Category
