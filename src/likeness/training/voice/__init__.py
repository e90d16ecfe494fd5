"""Teaching the voice decoder one person who agreed; `benchmarks/voice_pretrain.py` taught it many.

material    utterances, and batches of stretches out of them, with what is said disguised in many ways
losses      how far made sound is from spoken, as spectra of several resolutions
learning    steps, with an average over the last ones
learn       a person's voice from their speech
"""
