"""Reaching people: one file per protocol, one seam for all."""
