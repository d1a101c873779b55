"""Whole cases from files to files; many of them later."""
