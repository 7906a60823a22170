"""The indexes of the MongoDB store.

Each order of a listing has three indexes: for all tasks of an owner, for one status, and for one label. Each index
begins with the fields that a query compares for equality, and ends with the sort key (MongoDB's equality, sort, range
rule).
"""

from pymongo import ASCENDING, IndexModel

from task_svc.mongo.documents import ORDER_FIELDS
from task_svc.outbox import Slot


def _index(name: str, *fields: str, unique: bool = False, sparse: bool = False) -> IndexModel:
    # False options are left out: a server stores `unique=False`, and then rejects the same index without it.
    options = {option: True for option, wanted in (("unique", unique), ("sparse", sparse)) if wanted}
    return IndexModel([(field, ASCENDING) for field in fields], name=name, **options)


def look_field(slot: Slot) -> str:
    """Return the field with the time of the relay's next attempt. Its index is sparse, so empty slots cost nothing."""
    return f"outbox.{slot}.look_at"


def unpublished_field(slot: Slot) -> str:
    """Return the field with the time since which the event in a slot waits for publishing."""
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
