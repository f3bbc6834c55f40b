"""Ledgers of products: read and footed, as text, CSV, JSON and a page; and the book of a month."""
