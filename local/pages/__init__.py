"""
Builds docs/ and README.md as a site that needs nothing from anywhere else: `make docs`.

The pages are written to be read where they lie, in the repository, so their links lead to files. `staging` makes the
folder that ProperDocs builds from, `verify` reads what came out, `policy_table` and `http_reference` write the parts of
pages that the code knows better than a person.
"""
