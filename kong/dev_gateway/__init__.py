"""A gateway for development and tests: reads kong.yml and emulates Kong's routes, plugins and Lua functions.

It supports only the features that kong.yml uses, rejects any other at startup, and listens only on loopback.
"""
