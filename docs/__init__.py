"""The guide, by reader and language, and what of it is made from the code: `python -m docs`."""
