"""The gateway: Kong's configuration (kong.yml and the users), its checks, and a development replacement for Kong."""
