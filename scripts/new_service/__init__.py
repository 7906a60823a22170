"""`make new-service NAME=…`: a gRPC service to start from, in every place that a service has in this project.

`templates/` has its files, `places` what is added to files that are there.
"""
