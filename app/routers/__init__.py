"""The HTTP edge, one file per resource: a router translates and nothing else."""
