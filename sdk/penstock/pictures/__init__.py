"""Pictures and pages: plain data in, text out. Nothing here knows of runs, stacks or stores.

All names and messages may come out of somebody's store, so every text is hostile until it went
through `lettering.escaped`.
"""
