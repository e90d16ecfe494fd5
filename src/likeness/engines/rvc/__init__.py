"""Voice models of RVC: published checkpoints are read safely, and give their waveform."""
