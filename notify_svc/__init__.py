"""The notification service: tells users what happened to their tasks.

An event's way through the modules: `consumer` reads it from the stream, `intake` decodes and records it (`decode`,
`ledger`), a `deliverer` per channel delivers it (`channels`, `console`, `apprise_channel`), `finisher` confirms it to
the task service and acknowledges it. `servicer` and `inbox` show users the result; what cannot be handled or delivered
goes to `dead_letters`, and `dead_letter_servicer` and `triage` let operators replay or discard it.

The outside channels come from `channel_file` (`apprise_rules`, `apprise_services`, `apprise_plugins`) and send by
`outbound_http` and `outbound_smtp`; what they owe when they are taken out again, `removed_channels` gives up.
"""
