"""
The fault campaign: the app's whole path, again and again, with something going wrong at one of its calls or two.

A development tool, never deployed. `python -m local.campaign --runs 200 --seed 1` draws cases, runs each in virtual time
through the real SDK clients, and prints for every failure the one command that replays it.
"""
