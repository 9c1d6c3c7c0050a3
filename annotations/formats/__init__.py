"""One file per format. Each reads a path into a Reading and writes documents back, whole or not at all."""
