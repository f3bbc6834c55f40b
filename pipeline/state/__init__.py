"""The state folder: a window's name and files, what it was asked for, receipts that are whole."""
