"""Luigi's tasks: RunDue and Backfill, the steps of a window, the report."""
