"""What the app costs and how fast it is, beside the limit and beside what people would use instead."""
