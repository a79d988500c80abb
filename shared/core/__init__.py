"""Decisions without I/O: values, rules, plans and errors. Imports the standard library and pydantic only."""
