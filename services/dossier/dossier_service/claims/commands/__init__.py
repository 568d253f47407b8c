"""The use cases: one transaction each, the dossier's row locked."""
