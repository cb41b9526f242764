"""Files of checkpoints: which there may be, what safetensors say of themselves, which modules an adapter names."""
