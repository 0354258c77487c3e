"""Inspection: what a data set holds, and what in it would spoil training or its scores."""
