"""The operator's commands, one module each: configure() and run()."""
