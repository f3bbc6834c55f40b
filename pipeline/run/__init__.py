"""What a run does, in its order: due, extract, load, refresh; backfill and verify."""
