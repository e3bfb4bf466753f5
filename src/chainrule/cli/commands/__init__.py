"""The options of every command; the work is in the file of the command's name, one room up.

Those files load scikit-learn and SciPy, so each is imported when its command runs and
``chainrule --help`` stays quick.
"""
