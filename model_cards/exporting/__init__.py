"""A dataset in the form that other trainers read: JSON with pictures beside it, or tars."""
