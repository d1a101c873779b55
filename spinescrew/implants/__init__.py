"""Screws: their shapes, the catalogues they come from, their surfaces and the room between them."""
