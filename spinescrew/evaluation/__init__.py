"""Measures that compare screws and plans, and the tables made of them."""
