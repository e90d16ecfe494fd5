"""The only way out of the program: every output is labelled, signed and says how it was made.

The layers, in the order in which they are put on (`seal.py`):

    label → (watermark) → encode → credentials

`seal` is what others use; `label`, `identity` and `credentials` are its parts.
"""
