"""The stack's command line."""

from espace_stack.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
