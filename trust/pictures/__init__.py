"""Pictures of strangers: the one place that opens them, what is published of them, and small copies to look at."""
