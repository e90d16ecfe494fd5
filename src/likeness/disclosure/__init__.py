"""The only way out of the program: every output is labelled, marked, signed, and says how it was made.

seal           pictures and video: label → watermark → encode → credentials
sealed_sound   sound: disclaimer → watermark → encode → credentials

label, disclaimer, watermark/    the layers that are put on what is shown or heard
credentials/                     the signed statement, written and read
signer/                          who signs, and whom to trust
rights                           who may leave out the label
sinks                            where sealed frames go
"""
