"""The base of every error that a person may read: what, where, why, how to mend it."""


class SegueError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__ or "")


class NotFoundError(SegueError):
    """There is no such thing."""


class ConflictError(SegueError):
    """What was asked does not fit the present state."""


class NotAllowedError(SegueError):
    """Whoever asked may not do that."""


class BusyError(SegueError):
    """Too much is waiting already; try again in a moment."""

    def __init__(self, message: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(SegueError):
    """What is to be kept cannot be written, or not be read; later it may."""


class StorageFullError(StorageError):
    """There is no room left to keep anything."""


class DamagedError(SegueError):
    """What was kept is no longer what was written."""

    def __init__(self, message: str | None = None, file: str | None = None) -> None:
        super().__init__(message)
        self.file = file  # its name, where the whole of it cannot be trusted
