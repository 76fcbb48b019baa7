"""Whoever is signed in shows once more that they know the password, before something that could lock them out."""

from app.core.passwords import PasswordHasher
from app.database import Database
from app.errors import InvalidToken, WrongPassword
from app.models.users import User
from app.services.guess_limits import GuessLimits
from app.services.principals import Principal


class Reauthentication:
    """Guesses are counted by session: a stolen one is no way to try passwords, nor to lock the owner out."""

    def __init__(self, database: Database, passwords: PasswordHasher, limits: GuessLimits) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits

    async def of(self, principal: Principal, password: str) -> User:
        """The principal's account, whose password this is.

        Raises:
            WrongPassword: it is not; that was counted.
            AccountLocked: too many were wrong.
        """
        limits = self._limits.of_session(principal.session_id)
        async with self._database.snapshot() as tx:
            user = await tx.users.by_id(principal.user_id)
            if user is None:
                raise InvalidToken
            await self._limits.refuse_beyond(tx, limits)
        if not await self._passwords.verify(password, user.password_hash):
            await self._limits.count(limits)
            raise WrongPassword
        return user
