"""Mutation testing: what can be changed, which tests reach it, and running them on each change."""
