"""Segue: campaigns that follow what people do with other campaigns."""

__version__ = "0.1.0"
