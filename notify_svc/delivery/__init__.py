"""Delivers notifications: one deliverer per channel, and the channels."""
