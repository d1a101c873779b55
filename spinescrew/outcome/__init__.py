"""Planned against actual: vertebrae of a CT found in two radiographs or a later CT, screws there beside their plan."""
