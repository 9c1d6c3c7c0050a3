"""The language: documents, mentions, relations, scheme, file formats. Imports nothing of ours."""
