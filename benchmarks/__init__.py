"""Ratios against a peer, both measured in the same run, so that the machine's speed does not matter."""
