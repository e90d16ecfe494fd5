"""The First Order Motion Model: published checkpoints are read safely, and move a picture, fast."""
