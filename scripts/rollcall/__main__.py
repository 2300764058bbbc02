"""`python -m rollcall` is the command `rollcall`."""

from rollcall.cli.commands import main

if __name__ == "__main__":
    main()
