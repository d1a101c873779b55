"""Vertebra levels, their numbering in other tools, and the parts of a vertebra."""
