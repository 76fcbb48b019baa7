"""The shop of one process: every service with its collaborators. API and worker build the same one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.core.pagination import CursorSigner
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens
from app.database import Database, newest_revision
from app.gateways.mail import SmtpMailer
from app.gateways.media_store import MediaStore
from app.gateways.payments import StripePayments
from app.services.account_deletion import AccountDeletionService
from app.services.account_mail import AccountMailService
from app.services.addresses import AddressService
from app.services.api_keys import ApiKeyService
from app.services.assortment import AssortmentService
from app.services.auth import AuthService
from app.services.carts import CartService
from app.services.categories import CategoryService
from app.services.email_changes import EmailChangeService
from app.services.guess_limits import GuessLimits
from app.services.identification import IdentificationService
from app.services.inventory import InventoryService
from app.services.jobs import JobService
from app.services.listings import ListingService
from app.services.mail import MailService
from app.services.media import MediaService
from app.services.orders import OrderService
from app.services.passwords import PasswordService
from app.services.payments import PaymentService
from app.services.personal_data import PersonalDataService
from app.services.products import ProductService
from app.services.reauthentication import Reauthentication
from app.services.registrations import RegistrationService
from app.services.related import RelationService
from app.services.reviews import ReviewService
from app.services.second_factors import SecondFactorService
from app.services.sessions import SessionService
from app.services.suggestions import SuggestionService
from app.services.user_administration import UserAdministrationService
from app.services.users import UserService
from app.services.variants import VariantService
from app.settings import Settings


class Shop:
    """Plain constructor injection, read top to bottom."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.newest_revision = newest_revision()
        self.passwords = PasswordHasher(settings.password_hashing_threads)
        self.tokens = AccessTokens(settings.signing_keys(), timedelta(minutes=settings.access_token_minutes))
        self.provider = StripePayments(settings)
        cursors = CursorSigner(settings.secret_key.get_secret_value())

        self.identification = IdentificationService(database, self.tokens)
        self.api_keys = ApiKeyService(database, cursors, settings)
        self.users = UserService(database)
        self.jobs = JobService(database)
        self.personal_data = PersonalDataService(database)
        self.administration = UserAdministrationService(database, cursors)
        self.addresses = AddressService(database, cursors)
        self.categories = CategoryService(database)
        self.listings = ListingService(database, cursors)
        self.suggestions = SuggestionService(database)
        self.related = RelationService(database)
        self.products = ProductService(database, settings)
        self.assortment = AssortmentService(database, cursors)
        self.variants = VariantService(database)
        self.reviews = ReviewService(database, cursors)
        self.inventory = InventoryService(database, cursors)
        self.media = MediaService(database, MediaStore(settings.media_store), settings)
        self.carts = CartService(database, settings)
        limits = GuessLimits(database, settings)
        reauthentication = Reauthentication(database, self.passwords, limits)
        self.registrations = RegistrationService(database, self.passwords, limits, settings)
        self.auth = AuthService(database, self.passwords, self.tokens, limits, self.carts, settings)
        self.sessions = SessionService(database, cursors)
        self.credentials = PasswordService(database, self.passwords, limits, reauthentication, settings)
        self.email_changes = EmailChangeService(database, limits, reauthentication, settings)
        self.account_deletion = AccountDeletionService(database, reauthentication)
        self.second_factors = SecondFactorService(database, limits, reauthentication)
        self.orders = OrderService(database, self.provider, cursors, settings)
        self.payments = PaymentService(database, self.provider)
        self.mail = MailService(database, SmtpMailer(settings), settings)
        self.account_mail = AccountMailService(
            database, self.mail, self.registrations, self.credentials, self.email_changes
        )

    async def close(self) -> None:
        self.passwords.close()
        self.media.close()
        await self.provider.close()


@asynccontextmanager
async def open_shop(settings: Settings) -> AsyncIterator[Shop]:
    """The shop with its own connections, closed again at the end."""
    async with Database.connected(settings) as database:
        shop = Shop(settings, database)
        try:
            yield shop
        finally:
            await shop.close()
