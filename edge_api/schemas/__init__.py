"""Request and response bodies, and their conversion to and from the services' messages."""
