"""Performance measurements of the mesh on this machine. They are not tests."""
