"""Completing what is being typed into a search box."""

from app.database import Database


class SuggestionService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def completing(self, typed: str, limit: int) -> bytes:
        """`Suggestions` in JSON."""
        suggestions = await self._database.suggestions.completing(typed, limit)
        return f'{{"data":[{",".join(suggestions)}]}}'.encode()
