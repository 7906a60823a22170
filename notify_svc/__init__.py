"""The notification service: consumes task events and notifies users.

`events/consumer` reads an event from the stream, `event_handler` decodes it, `recorder` records it in
`storage/event_store`. `delivery/deliverer` delivers it on each channel. `events/acknowledger` confirms it to the task
service and acknowledges the stream entry. `composition` connects these parts.
"""
