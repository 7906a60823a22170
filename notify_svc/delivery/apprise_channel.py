"""An outside channel: delivers through an Apprise plugin, in threads, because plugins block.

`deliverer` limits the time of an attempt; `outbound` closes the connections of an attempt that exceeds it.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable

from notify_svc.delivery import message_text, outbound
from notify_svc.delivery.apprise_plugins import new_plugin
from notify_svc.delivery.apprise_services import service_of
from notify_svc.delivery.channel import DeliveryFailed
from notify_svc.delivery.channel_file import ConfiguredChannel
from notify_svc.domain import Notification


class AppriseChannel:
    """One configured channel. An attempt whose thread does not end still counts towards `concurrency`."""

    concurrency = 4

    def __init__(self, configured: ConfiguredChannel, timeout_seconds: float) -> None:
        self.name = configured.name
        self._url = configured.url
        self._service = service_of(configured.url)
        self._timeout_seconds = timeout_seconds
        self._free_threads = threading.BoundedSemaphore(self.concurrency)

    async def deliver(self, notification: Notification) -> None:
        """Send the notification in a thread. Raises DeliveryFailed, with the pause that the receiver requests."""
        call = outbound.Call(notification.id, self._timeout_seconds)
        try:
            is_delivered = await self._in_a_thread(functools.partial(self._send, call, notification))
        finally:
            call.cut()
        if not is_delivered:
            raise DeliveryFailed(call.problem or "the service rejected the notification", call.retry_after_seconds)

    async def _in_a_thread(self, send: Callable[[], bool]) -> bool:
        if not self._free_threads.acquire(blocking=False):
            raise DeliveryFailed("too many earlier attempts are still running")
        loop = asyncio.get_running_loop()
        result: asyncio.Future[bool] = loop.create_future()

        def finish(is_delivered: bool) -> None:
            if not result.done():
                result.set_result(is_delivered)

        def work() -> None:
            is_delivered = False
            try:
                is_delivered = send()
            finally:
                self._free_threads.release()
                with contextlib.suppress(RuntimeError):  # the loop is closed: the process is stopping
                    loop.call_soon_threadsafe(finish, is_delivered)

        # Not a thread pool: the process would wait at exit for a pool's thread that hangs.
        threading.Thread(target=work, name=f"channel {self.name}", daemon=True).start()
        return await result

    def _send(self, call: outbound.Call, notification: Notification) -> bool:
        outbound.begin(call)
        try:
            plugin = new_plugin(self._url)
            plugin.socket_connect_timeout = plugin.socket_read_timeout = call.timeout_seconds
            return plugin.notify(
                title=message_text.heading(notification),
                body=f"{self._service.written(str(notification))}\nEvent {notification.id}",
                body_format=self._service.format,
            )
        except Exception as error:  # only the type is reported: the message may contain the URL
            call.problem = f"the Apprise plugin failed: {type(error).__name__}"
            return False
