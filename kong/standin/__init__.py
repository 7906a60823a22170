"""A development stand-in for Kong: it reads the configuration that Kong reads and does what its routes and plugins say.

It knows no more than that configuration uses, refuses everything else by name, and listens on loopback only.
"""
