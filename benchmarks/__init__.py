"""Measurements of the mesh on this machine; none of them is a test."""
