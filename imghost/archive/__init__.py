"""All that imghost keeps, in one file: written on one machine, brought into another."""
