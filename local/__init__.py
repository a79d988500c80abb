"""What makes the app run with no Azure at all; never deployed, and never imported by what is."""
