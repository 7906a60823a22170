"""The tests, by what they need: unit nothing, integration a store or a queue, e2e everything."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the checkout."""
