"""The gRPC adapter: servicers, and the conversion of their messages."""
