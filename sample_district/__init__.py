"""The synthetic district of the project: its roster, its exports and the faults planted in them.

It writes `sample_exports/`. It belongs to the project and not to the installed package: the package
loads it from the project directory when `rollcall sample` asks for it, and never otherwise.
"""
