"""The indexes of the MongoDB store, each named for what it serves.

Every order that tasks can be listed in has three: for all tasks of an owner, for one status, for one label. As MongoDB
wants it, each begins with what is fixed and ends with what is ordered and ranged over (equality, sort, range).
"""

from pymongo import ASCENDING, IndexModel

from task_svc.mongo.documents import ORDER_FIELDS
from task_svc.outbox import Slot


def _index(name: str, *fields: str, unique: bool = False, sparse: bool = False) -> IndexModel:
    # Only what is asked for: a server keeps `unique=False` as an option, and then refuses the same index without it.
    options = {option: True for option, wanted in (("unique", unique), ("sparse", sparse)) if wanted}
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def look_field(slot: Slot) -> str:
    """When the event in a slot is to be looked at; sparse, so that an empty slot costs nothing."""
    return f"outbox.{slot}.look_at"


def unpublished_field(slot: Slot) -> str:
    """Since when the event in a slot waits to be published."""
    return f"outbox.{slot}.unpublished_since"


BY_REQUEST = _index("by_request", "owner", "request_id", unique=True)
TO_PURGE = _index("to_purge", "deleted", "delete_time")
TO_REMIND = _index("to_remind", "to_remind_of")
OF_OUTBOX = [
    *(_index(f"look_{slot}", look_field(slot), sparse=True) for slot in Slot),
    *(_index(f"unpublished_{slot}", unpublished_field(slot), sparse=True) for slot in Slot),
]
OF_LISTINGS = [
    index
    for field in ORDER_FIELDS
    for index in (
        _index(f"all_{field}", "owner", "deleted", field),
        _index(f"status_{field}", "owner", "deleted", "status", field),
        _index(f"label_{field}", "owner", "labels", "deleted", field),
    )
]
ALL = [BY_REQUEST, TO_PURGE, TO_REMIND, *OF_OUTBOX, *OF_LISTINGS]
