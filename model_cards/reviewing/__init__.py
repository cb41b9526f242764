"""What `ldrt screen` found in the pictures of a dataset and people decided of it: what of a row may go out."""
