"""Small dense worlds in which campaigns, users and times collide, each made from one number."""

from tests.support.random_worlds.world import World, world_of_seed, worlds

__all__ = ["World", "world_of_seed", "worlds"]
