"""The error of a download that failed."""


class FetchError(RuntimeError):
    """A download or an archive could not be used; the message says what, where and what to do."""
