"""The queue and the line: what to render, which runs and takes are there, and the rendering itself."""
