"""An outside channel: delivers by a plugin of Apprise, in threads, since those block.

Between `deliverer`, which limits the time, and `outbound`, by which an attempt whose time is up is ended for good.
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
    """One configured channel. An attempt that does not end when it is cut keeps its place among `concurrency`."""

    concurrency = 4

    def __init__(self, configured: ConfiguredChannel, timeout_seconds: float) -> None:
        self.name = configured.name
        self._url = configured.url
        self._service = service_of(configured.url)
        self._timeout_seconds = timeout_seconds
        self._places = threading.BoundedSemaphore(self.concurrency)

    async def deliver(self, notification: Notification) -> None:
        """Sends the notification in a thread. Raises DeliveryFailed, with the pause that the receiver asks for."""
        call = outbound.Call(notification.id, self._timeout_seconds)
        try:
            is_delivered = await self._in_a_thread(functools.partial(self._send, call, notification))
        finally:
            call.cut()
        if not is_delivered:
            raise DeliveryFailed(call.problem or "the service did not take it", call.retry_after_seconds)

    async def _in_a_thread(self, send: Callable[[], bool]) -> bool:
        if not self._places.acquire(blocking=False):
            raise DeliveryFailed("earlier attempts have not ended yet")
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[bool] = loop.create_future()

        def tell(is_delivered: bool) -> None:
            if not ended.done():
                ended.set_result(is_delivered)

        def work() -> None:
            is_delivered = False
            try:
                is_delivered = send()
            finally:
                self._places.release()
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(tell, is_delivered)

        # No pool: its threads are waited for when the process ends, and one that hangs would hold that up.
        threading.Thread(target=work, name=f"channel {self.name}", daemon=True).start()
        return await ended

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
        except Exception as error:  # what it says may quote the URL
            call.problem = f"the plugin failed: {type(error).__name__}"
            return False
