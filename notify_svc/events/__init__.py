"""Consumes task events: reads, records, confirms and acknowledges them."""
