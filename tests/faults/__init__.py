"""The fault table: everything that can go wrong on an image's way, done to it on purpose.

Each row of ROWS is proved by tests here, or by tests beside what they test. All of them run with
the rest, small; `python -m tests.faults` runs them large, and prints their figures.
"""
