"""Tests of what a person or a program can ask for."""
