"""The recent events of a stream, and the clients that watch them."""
