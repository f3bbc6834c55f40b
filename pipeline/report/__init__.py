"""The report: one page for the shopkeeper, and for whoever looks after the runs."""
