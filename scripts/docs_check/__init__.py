"""Keeps docs/ true: excerpts, reference, links, what is explained, what is proven, the commands."""
