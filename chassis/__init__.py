"""What every Python service of the mesh needs and none writes again; it knows nothing about tasks."""
