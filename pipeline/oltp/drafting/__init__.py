"""A first draft of the shop's queries for a schema that nobody knows, out of its catalogue."""
