"""What a document is, which files are taken, and what they may be called."""
