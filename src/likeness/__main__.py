"""`python -m likeness` does what the command `likeness` does."""

from likeness.cli.main import main

main()
