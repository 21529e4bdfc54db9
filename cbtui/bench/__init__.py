"""Measuring this machine: every figure a median or a percentile, with a ratio wherever there is something to beat."""
