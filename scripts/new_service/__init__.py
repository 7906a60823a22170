"""`make new-service NAME=…`: add a gRPC service to the project, from `templates/` and `insertion_points`."""
