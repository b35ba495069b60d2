"""`python -m imghost` is `imghost`."""

from imghost.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
