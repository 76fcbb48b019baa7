"""What happens by the clock. Each may run twice, or in two workers at once, and change nothing the second time."""

from datetime import timedelta

from app.shop import Shop
from worker import runtime
from worker.celery_app import celery_app
from worker.consumers import CONSUMERS


@celery_app.task(name="emporium.release_expired_reservations")
def release_expired_reservations() -> None:
    async def expire_all(shop: Shop) -> None:
        while await shop.orders.expire_overdue():
            pass

    runtime.run(expire_all)


@celery_app.task(name="emporium.reconcile_stuck_payments")
def reconcile_stuck_payments() -> None:
    async def reconcile(shop: Shop) -> None:
        await shop.payments.reconcile()

    runtime.run(reconcile)


@celery_app.task(name="emporium.publish_lost_events")
def publish_lost_events() -> None:
    """Events that the broker lost, or whose task gave up, start again from the outbox."""

    async def publish_again(shop: Shop) -> None:
        lost_after = timedelta(seconds=shop.settings.visibility_timeout)
        async with shop.database.transaction() as tx:
            for name, consumer in CONSUMERS.items():
                await tx.outbox.publish_again(name, consumer.handlers, lost_after)

    runtime.run(publish_again)


@celery_app.task(name="emporium.count_sales")
def count_sales() -> None:
    async def count(shop: Shop) -> None:
        await shop.listings.count_sales()

    runtime.run(count)


@celery_app.task(name="emporium.purge_expired")
def purge_expired() -> None:
    async def purge(shop: Shop) -> None:
        async with shop.database.transaction() as tx:
            await tx.idempotency.forget_expired()
            await tx.carts.forget_expired()
            await tx.sessions.forget_expired()
            await tx.tokens.forget_expired()
            await tx.guesses.forget_expired()
            await tx.email_changes.forget_expired()
            await tx.jobs.forget_expired()
            await tx.outbox.forget_published()
        while await shop.account_deletion.tidy_up():
            pass

    runtime.run(purge)


@celery_app.task(name="emporium.purge_unused_media")
def purge_unused_media() -> None:
    async def purge_all(shop: Shop) -> None:
        while await shop.media.purge_unused():
            pass

    runtime.run(purge_all)


@celery_app.task(name="emporium.audit_stock")
def audit_stock() -> None:
    async def audit(shop: Shop) -> None:
        await shop.inventory.audit()

    runtime.run(audit)
