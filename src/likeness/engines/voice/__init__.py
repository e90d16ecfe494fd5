"""Giving a recording another voice.

analysis    what is known of a recording: content, pitch, energy, envelope, a hundred frames a second
envelope    the spectral envelope behind the harmonics
disguise    content without its speaker
manner      how high and how loud somebody speaks, made somebody else's
clear       the decoder: envelopes that a person would have; its weights are in `weights`
vocoder     pulses and noise, each through a filter of its own
grains      the person's own sounds, chosen (`psola` gives them their pitch, `correct` their envelope)
close       conversion by grains, and songs
engine      whole recordings, of `blocks`; what lies above 8 kHz is `top`'s affair
pool        a person's speech, as a voice keeps it

Sound is (n,) float32 at 16 kHz, one channel; nothing here reads or writes files of sound.
"""
