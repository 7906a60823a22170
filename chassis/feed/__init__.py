"""Keep the recent events of a stream, and serve the clients that watch them."""
