"""From what an author wrote to what a sender sends. Deterministic."""
