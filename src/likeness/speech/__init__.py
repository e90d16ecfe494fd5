"""What is said, how, and by whom.

speaker     embed_voice, similarity: whose voice it is; needs nothing but the base install
phonemes    the sounds of English heard in a recording, held against those of a text
words       which sentence of a small grammar was said
pitch       the fundamental frequency of a voice
activity    where somebody speaks

All but `speaker` need the extra "speech". Sound comes as (n,) float32, one channel, nominally −1…1.
"""
