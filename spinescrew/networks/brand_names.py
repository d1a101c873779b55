"""What outputs of the models of systems are called, without torch."""

OTHER = "another system"
"""Of the last output where a network was shown designs that belong to none of its systems."""
