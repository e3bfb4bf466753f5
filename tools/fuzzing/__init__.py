"""Fuzzing: damaged input for everything that chainrule reads, and what must hold for each."""
