"""Server-sent events: one stream from each service, fanned out to many clients."""
