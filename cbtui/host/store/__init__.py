"""The durable queue: SQLite on a local disk, written by the host, read by every front end."""

from cbtui.core.queue import Changes, Command, Filter, FoundTask, KnownFile, Progress, Put, TaskRow
from cbtui.host.store.errors import (
    OutOfRange,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreTooNew,
    StoreUnavailable,
    StoreUnreadable,
    TaskIsRendering,
    UnknownTask,
)
from cbtui.host.store.opening import Opened, Store, attach_store, open_store, store_path

__all__ = [
    "Changes",
    "Command",
    "Filter",
    "FoundTask",
    "KnownFile",
    "Opened",
    "OutOfRange",
    "Progress",
    "Put",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreTooNew",
    "StoreUnavailable",
    "StoreUnreadable",
    "TaskIsRendering",
    "TaskRow",
    "UnknownTask",
    "attach_store",
    "open_store",
    "store_path",
]
