"""What a run leaves: tables, the reading, the manifest. Files whole or not at all."""
