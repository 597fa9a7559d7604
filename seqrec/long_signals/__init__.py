"""Signals of any length in constant memory: recognised in overlapping windows, decoded pause by pause.

    blocks (n, C) -> features (T, F) -> windows with context -> log-probs (T', V) -> pieces between pauses

Features are normalised by statistics of the whole signal, which a first pass takes. A window is recognised with
`context_seconds` on either side, whose frames are left out again; windows begin on the encoder's grid, so that frames
fall where they do when the whole signal is recognised at once. What comes out is cut in the middle of long runs of
blanks. Greedy decoding of the pieces gives the text of the uncut frames; a decoder with a language model forgets its
history at a cut.
"""
