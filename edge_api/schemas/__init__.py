"""Request and response bodies, and their conversion from and to the services' messages."""
