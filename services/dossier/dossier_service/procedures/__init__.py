"""Procedures: what the administration offers, as versioned data files."""
