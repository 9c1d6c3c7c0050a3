"""Masked language modelling: from plain text to an encoder that AutoModel loads."""
