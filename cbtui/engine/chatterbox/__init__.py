"""Resemble AI's Chatterbox: the only room that imports torch, and only when a model is asked for."""
