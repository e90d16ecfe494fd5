"""How good a converted voice is, in numbers. Nothing of this was ever a training loss.

delay           where a recording begins in another one
pitch_error     f0 correlation, voicing errors, cents
word_error      word error rate
naturalness     a fast proxy for what listeners would say
defects         clipping, clicks, gaps, and buzz between words

Sound comes as (n,) float32, one channel, nominally −1…1.
"""
