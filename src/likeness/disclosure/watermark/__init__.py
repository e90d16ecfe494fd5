"""The imperceptible watermark: 32 bits that survive what people do to a file.

code        payloads, and the error-correcting code that picture and sound share
picture     marking pictures and video: PictureMark, mark_still
search      finding the mark again: find_in_frames, find_in_picture
tile        the pattern itself, known to both

It says that a file was made with this toolkit, what was done, and to which manifest it belongs, after the
manifest is gone. The key is in this source, so anyone can forge or remove a mark: it is a label for the
honest, not evidence against the dishonest.
"""
