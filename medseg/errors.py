"""The errors that medseg raises on purpose."""


class InputError(ValueError):
    """Something a user gave cannot be used; the message says what, where and what to do."""


class InputWarning(UserWarning):
    """Something about a user's file that does not stop the work but may spoil it."""
