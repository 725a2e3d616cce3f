"""The command line: one file per command; nothing else imports it.

Commands import what they need when they run, so that ``medseg --help`` answers at once.
"""

from medseg.cli.app import app, main

__all__ = ["app", "main"]
