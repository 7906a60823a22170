"""The systems that the mesh is compared with: each is what a team would write that needs nothing else."""
