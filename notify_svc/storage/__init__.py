"""The service's data in Redis; each change is one Lua script."""
