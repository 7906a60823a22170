"""A gateway for development and tests: reads kong.yml and does what Kong does with its routes, plugins and Lua.

It supports what kong.yml uses, refuses everything else at its start, and listens on loopback only.
"""
