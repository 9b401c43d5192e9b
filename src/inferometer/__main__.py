"""`python -m inferometer`."""

from inferometer.cli.main import main

main()
