"""The keys in Redis."""

EVENTS = "task-events"
GROUP = "notifiers"
NOTIFICATIONS = "notifications"
DEAD_LETTERS = "dead-letters"
CHANNELS = "channels"


def event_key(event_id: str) -> str:
    """The hash with all that is known of an event."""
    return f"event:{event_id}"


def inbox_key(owner: str) -> str:
    """The sorted set of a user's notifications, by create time."""
    return f"inbox:{owner}"


def unread_key(owner: str) -> str:
    """The sorted set of those that the user has not read."""
    return f"unread:{owner}"


def pending_key(channel: str) -> str:
    """The sorted set of a channel's pending deliveries, by when each is due."""
    return f"owed:{channel}"


def dead_letter_key(key: str) -> str:
    """The hash with one dead letter."""
    return f"dead-letter:{key}"
