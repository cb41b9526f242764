"""The sample corpus: synthetic articles with their truth, for the demo, the tiny recipes and the tests."""
