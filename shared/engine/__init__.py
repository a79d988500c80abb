"""One pass over one registry, written against protocols (`ports`); knows no Azure package."""
