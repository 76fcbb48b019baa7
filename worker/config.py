"""Celery's configuration. Celery imports this module when it first needs it, so importing the worker reads nothing.

Redis redelivers what a dead worker held after the visibility timeout. It must be longer than any task may take, or
tasks run twice; retries are short for the same reason, and what must wait longer waits in PostgreSQL.
"""

from kombu import Queue

from app.settings import Settings

_settings = Settings()

broker_url = _settings.redis_url.get_secret_value()
broker_connection_retry_on_startup = True
broker_transport_options = {
    "visibility_timeout": 4 * _settings.task_time_limit,
    # Look for abandoned tasks every 5 s; kombu's defaults take up to 100 s longer than the visibility timeout.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
}

imports = ("worker.tasks.events", "worker.tasks.periodic")

# Seconds between two runs; a run that could not start before the next one is due is dropped.
_EVERY = {
    "emporium.release_expired_reservations": 30,
    "emporium.publish_lost_events": 60,
    "emporium.reconcile_stuck_payments": 5 * 60,
    "emporium.purge_expired": 60 * 60,
    "emporium.audit_stock": 24 * 60 * 60,
}
_CRITICAL = {"emporium.release_expired_reservations", "emporium.reconcile_stuck_payments"}
beat_schedule = {
    task: {
        "task": task,
        "schedule": seconds,
        "options": {"queue": "critical" if task in _CRITICAL else "bulk", "expires": seconds},
    }
    for task, seconds in _EVERY.items()
}

task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
task_time_limit = _settings.task_time_limit
task_ignore_result = True
task_serializer = result_serializer = "json"
accept_content = ["json"]
task_default_queue = "default"
task_queues = (Queue("critical"), Queue("default"), Queue("bulk"))
worker_hijack_root_logger = False
worker_soft_shutdown_timeout = 10
