"""A task's text becomes chunks: speakers, sentences, packing. Nothing here knows an engine."""
