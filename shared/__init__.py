"""The deployed product: core decides, engine orders, cloud does."""
