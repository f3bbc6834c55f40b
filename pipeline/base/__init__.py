"""What all rooms share: connections, the scripts of sql/, attempts, progress, the log, texts."""
