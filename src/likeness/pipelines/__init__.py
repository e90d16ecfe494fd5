"""Pipelines: read ▸ track ▸ engine ▸ seal, one for each thing that can be made."""
