"""HTTP, thin: parse, command, present."""
