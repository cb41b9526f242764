"""A figure's picture: opened safely, measured, encoded, and split into the panels that its caption names."""
