"""What a push or a publish sends, laid out as path in the repository -> local file. Nothing here talks to the Hub."""
