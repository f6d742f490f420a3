"""Figures: each module here measures one and prints it; `make bench` runs all of them."""
