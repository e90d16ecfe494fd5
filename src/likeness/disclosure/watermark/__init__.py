"""The imperceptible watermark: 32 bits that survive what people do to a file.

code        the error-correcting code that picture and sound share
picture     marking pictures and video: PictureMark, mark_still   → search: finding the mark again
audio       marking sound: AudioMark                              → audio_search, likewise
tile, audio_tile, audio_view    the patterns themselves, known to both sides

imprint     what the payload means, and the mark as a layer of the seal
find        looking for a mark in a file   → answer: what to say of it

It says that a file was made with this toolkit, what was done, and to which manifest it belongs, after the
manifest is gone. The key is in this source, so anyone can forge or remove a mark: it is a label for the
honest, not evidence against the dishonest.
"""
