"""The version of seqrec."""

__version__ = "0.1.0"
