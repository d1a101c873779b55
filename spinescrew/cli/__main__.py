"""``python -m spinescrew.cli``."""

from spinescrew.cli import main

main()
