"""What follows a run: people, heartbeat, metrics."""
