"""From what a request brings along to who is asking, and what they may do."""

from app.core.security import AccessTokens, digest
from app.database import Database
from app.errors import InvalidToken
from app.models.scopes import SCOPES_OF, expanded
from app.services.known_principals import KnownPrincipals
from app.services.principals import Caller, Principal, Service

KEYS_BEGIN_WITH = "emp_"  # no access token does: the first letters of those are a JSON object's


class IdentificationService:
    """Asks the database once per caller and process, as long as it would hear of every change."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens
        self.known = KnownPrincipals()

    async def caller(self, credential: str) -> Caller:
        """Whose access token or API key this is, with the rights of today.

        Raises:
            InvalidToken, TokenError: it is not one of ours, has expired, or what it stood for has ended.
        """
        if credential.startswith(KEYS_BEGIN_WITH):
            return await self._service(credential)
        return await self._person(credential)

    async def _person(self, token: str) -> Caller:
        claims = self._tokens.read(token)
        proof = (claims.session_id, claims.scopes)
        if known := self.known.get(proof):
            return known
        changes = self.known.changes
        async with self._database.snapshot() as tx:
            role = await tx.users.role_in_session(claims.user_id, claims.session_id)
        if role is None:
            raise InvalidToken
        scopes = expanded(claims.scopes) & SCOPES_OF[role]
        person = Principal(claims.user_id, claims.session_id, role, scopes)
        self.known.remember(proof, claims.user_id, person, changes)
        return person

    async def _service(self, key: str) -> Caller:
        proof = digest(key)
        if known := self.known.get(proof):
            return known
        changes = self.known.changes
        async with self._database.snapshot() as tx:
            good = await tx.api_keys.good(proof)
        if good is None:
            raise InvalidToken
        if not good.is_noted:
            async with self._database.transaction() as tx:
                await tx.api_keys.note_use(good.id)
        service = Service(good.id, expanded(good.scopes))
        self.known.remember(proof, good.id, service, changes, good.seconds)
        return service
