"""Ways to run the encoder. Nothing here knows what a mention is."""
