"""The worker: documents into model inputs, the encoder once, scores back into annotations."""
