"""The dossier: a citizen's case under a procedure, from the draft to the deposit."""
