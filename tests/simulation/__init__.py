"""A deterministic simulation of the mesh in one process: crashes, delays, repeats and losses at every step, by seed."""
