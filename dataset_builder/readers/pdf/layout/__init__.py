"""Pages given as lines and boxes -> figures with captions, and running text. Rules alone: no files, no PDF library."""
