"""Everything that is said about one screw in one spine."""
