"""Keeps docs/ in step with the code: excerpts, reference pages, links, and the commands of the course."""
