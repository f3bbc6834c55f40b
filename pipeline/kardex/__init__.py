"""One product's ledger: read and footed, as text, CSV, JSON and a page."""
