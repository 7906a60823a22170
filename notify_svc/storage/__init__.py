"""What the service keeps in Redis; each change is one Lua script."""
