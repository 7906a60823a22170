"""The gRPC server and client of all services, with their interceptors."""
