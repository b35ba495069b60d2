"""`python -m imghost` is `imghost`."""

from imghost.cli import run

if __name__ == "__main__":
    run()
