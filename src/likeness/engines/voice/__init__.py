"""Giving a recording another voice.

analysis    what is known of a recording: content, pitch, energy, envelope, a hundred frames a second
envelope    the spectral envelope behind the harmonics
vocoder     pulses and noise, each through a filter of its own
clear       conversion by the decoder alone
engine      whole recordings, block by block

Sound is (n,) float32 at 16 kHz, one channel; nothing here reads or writes files of sound.
"""
