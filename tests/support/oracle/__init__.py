"""A second, slow and obvious implementation of the rules, to hold the engine against.

It shares the documents' structs, the catalogue of interactions and the readers of instants and
durations with the engine, and nothing else: plain lists, and loops over every campaign for every
event. "semantics.md n" names the section that a step follows.
"""

from tests.support.oracle.run import Oracle, decide_log
from tests.support.oracle.splits import bucket_of

__all__ = ["Oracle", "bucket_of", "decide_log"]
