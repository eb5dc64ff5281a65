"""Nouns: frozen structs and closed enums. No behaviour beyond construction and reading."""
