"""The gateway: what Kong is told (kong.yml and the users), and what proves it without Kong."""
