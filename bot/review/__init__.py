"""The rules of an incident review: Python's standard library and nothing else."""
