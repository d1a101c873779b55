"""The planner in a browser: one process, one user, one closed door."""
