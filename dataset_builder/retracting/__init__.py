"""Taking an article, or a figure, out of a dataset repo folder: `ldrt retract`."""
