"""The gateway: what Kong is told (kong.yml and the users), what proves it without Kong, and a stand-in for Kong."""
