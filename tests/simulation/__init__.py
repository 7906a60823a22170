"""The mesh in one process and in simulated time: crashes, delays, repeats and losses at every step, from one seed."""
