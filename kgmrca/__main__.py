"""`python -m kgmrca` is the command `kgmrca`."""

from kgmrca.cli import main

if __name__ == "__main__":
    main()
