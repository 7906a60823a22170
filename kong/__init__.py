"""The gateway: what Kong is configured with, and what reads that configuration beside Kong."""
