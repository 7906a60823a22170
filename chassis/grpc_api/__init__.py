"""The gRPC server and client that every service uses, with its interceptors."""
