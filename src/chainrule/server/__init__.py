"""The playground: a page where a network learns while you watch, and the server behind it.

Nothing is imported here: scripts that the page exports read ``points`` and ``learning`` without the
extra ``[playground]``; ``launch`` needs it.
"""
