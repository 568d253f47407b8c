"""The DRC: a request for further information, answered in time, answered late, or lapsed."""
