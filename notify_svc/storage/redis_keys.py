"""The keys in Redis."""

EVENTS = "task-events"
GROUP = "notifiers"
NOTIFICATIONS = "notifications"
DEAD_LETTERS = "dead-letters"
CHANNELS = "channels"


def event_key(event_id: str) -> str:
    """Return the key of the hash of an event."""
    return f"event:{event_id}"


def inbox_key(owner: str) -> str:
    """Return the key of the sorted set of a user's notifications, by create time."""
    return f"inbox:{owner}"


def unread_key(owner: str) -> str:
    """Return the key of the sorted set of a user's unread notifications, by create time."""
    return f"unread:{owner}"


def pending_key(channel: str) -> str:
    """Return the key of the sorted set of a channel's pending deliveries, by due time."""
    return f"owed:{channel}"


def dead_letter_key(key: str) -> str:
    """Return the key of the hash of a dead letter."""
    return f"dead-letter:{key}"
