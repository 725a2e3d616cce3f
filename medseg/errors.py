"""The errors that medseg raises on purpose."""


class InputError(ValueError):
    """Something a user gave cannot be used; the message says what, where and what to do."""
