"""A model in several files: the block in one, the stack in another."""

from .model import build

SCALED = r"stack\.(\d+)\.(norm1|norm2)"

__all__ = ["build", "SCALED"]
