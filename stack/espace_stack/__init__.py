"""The embedded stack: starts, stops, kills and restarts every real part without containers."""
