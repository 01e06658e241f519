"""Every error that Spheroscope raises on purpose.

SpheroscopeError
├── ImageError                  a file cannot be taken as it is
│   ├── EmptyFile               no bytes at all
│   ├── NotAnImage              content is not PNG, JPEG, BMP or TIFF, whatever the name says
│   ├── ImageUnreadable         damaged or truncated
│   ├── ImageTooLarge           more bytes, pixels or pages than the limits allow
│   └── PixelsUnsupported       could only be read by changing its values
├── NotFound                    a project, image or job that is not there (any more)
├── InvalidRequest              a name, number, filter or sort column that cannot be
├── AccessError                 somebody may not do this, or has to say first who they are
│   ├── NotSignedIn             nobody has signed in, or the session has ended
│   ├── NotAllowed              it takes another role, or a higher level in the project
│   ├── SignInRefused           name and password do not belong together, or a link does not hold (any more)
│   ├── TooManyAttempts         too many at once or in a short time; later it may succeed
│   └── QuotaExceeded           a person's share of the disk or of the queue is used up
├── SearchTooSlow               a search took longer than is allowed, and was stopped
├── QueueFull                   more waiting jobs than the limit
├── AppBusy                     not enough memory free for an image now
├── VersionConflict             another version of a result is in force than the one that was changed
├── ObjectConflict              somebody else has changed the same spheroids meanwhile
├── UploadConflict              a file is sent on from another byte than the one it has got to
├── ForeignRequest              another website asks for a change
├── StorageError                the disk or the database refuses
│   ├── DatabaseLocked          another process holds the database
│   ├── DatabaseOutOfMemory     a statement needs more memory than the database may use
│   ├── BlobMissing             a stored file is gone
│   └── BlobDamaged             a stored file is not what was stored
├── SegmentationError           an engine could not outline an image
│   ├── CrashedRepeatedly       the image ended the process as often as is allowed
│   ├── DeadlinePassed          segmenting it took longer than is allowed
│   └── WorkersUnavailable      the computers that segment cannot be reached, or run another version
└── ServiceClosed               a part that has been shut down was called

``code`` is stable: it is stored, exported and tested. ``message`` is one or two sentences for a person:
what happened, to which file, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from core.models import Version


class SpheroscopeError(Exception):
    """Base of the tree; never raised itself."""

    code: ClassVar[str] = "error"
    may_pass: ClassVar[bool] = False  # whether the same act may succeed later, with nothing changed in it

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ImageError(SpheroscopeError):
    """A file cannot be taken as it is."""

    code = "image_error"


class EmptyFile(ImageError):
    """The file has no bytes."""

    code = "empty_file"


class NotAnImage(ImageError):
    """The content is none of the formats read here."""

    code = "not_an_image"


class ImageUnreadable(ImageError):
    """The file is damaged or cut short."""

    code = "image_unreadable"


class ImageTooLarge(ImageError):
    """The file has more bytes, pixels or pages than the limits allow."""

    code = "image_too_large"

    @classmethod
    def of_bytes(cls, max_bytes: int) -> ImageTooLarge:
        """Return the error of a file of more than ``max_bytes``."""
        return cls(
            f"This file has more than {max_bytes / 2**20:,.0f} MiB, the most that are taken. "
            "Crop it or split the stack, or raise MAX_UPLOAD_MB."
        )


class PixelsUnsupported(ImageError):
    """The pixels could only be read by changing their values."""

    code = "pixels_unsupported"


class NotFound(SpheroscopeError):
    """A project, image or job is not there (any more)."""

    code = "not_found"


class InvalidRequest(SpheroscopeError):
    """A name, number, filter or sort column cannot be what was given."""

    code = "invalid_request"


class AccessError(SpheroscopeError):
    """Somebody may not do this, or has to say first who they are."""

    code = "access_error"


class NotSignedIn(AccessError):
    """Nobody has signed in, or the session has ended."""

    code = "not_signed_in"


class NotAllowed(AccessError):
    """It takes another role, or a higher level in the project."""

    code = "not_allowed"


class SignInRefused(AccessError):
    """Name and password do not belong together, or a link does not hold (any more)."""

    code = "sign_in_refused"


class TooManyAttempts(AccessError):
    """Somebody tried too often in a short time; ``seconds`` are to pass before the next try."""

    code = "too_many_attempts"
    may_pass = True

    def __init__(self, message: str, seconds: float = 60.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class QuotaExceeded(AccessError):
    """A person's share of the disk or of the queue is used up."""

    code = "quota_exceeded"


class SearchTooSlow(SpheroscopeError):
    """A search took longer than is allowed, and was stopped."""

    code = "search_too_slow"


class QueueFull(SpheroscopeError):
    """More jobs would wait than the limit allows."""

    code = "queue_full"
    may_pass = True


class AppBusy(SpheroscopeError):
    """There was not enough memory free for an image, or no processor, within the time allowed."""

    code = "app_busy"
    may_pass = True


class VersionConflict(SpheroscopeError):
    """Another version of an image's result is in force than the one that somebody changed.

    ``current`` is the one in force, None where there is none.
    """

    code = "version_conflict"

    def __init__(self, message: str, current: Version | None = None) -> None:
        super().__init__(message)
        self.current = current


class UploadConflict(SpheroscopeError):
    """A file is sent on from another byte than the one it has got to, or by two at once."""

    code = "upload_conflict"


class ForeignRequest(SpheroscopeError):
    """A request for a change does not come from the app's own pages or from a program."""

    code = "foreign_request"


class ObjectConflict(SpheroscopeError):
    """Spheroids that a change is about have been changed meanwhile; ``numbers`` are theirs."""

    code = "object_conflict"
    ended: object = None  # core.store.corrections.EndedDraft, where the correction has been ended

    def __init__(self, message: str, numbers: frozenset[int] = frozenset()) -> None:
        super().__init__(message)
        self.numbers = numbers

    @classmethod
    def between(cls, numbers: Iterable[int]) -> ObjectConflict:
        """Return the error that the spheroids of these numbers are not as they were."""
        names = ", ".join(map(str, sorted(numbers)))
        return cls(
            f"Somebody has changed spheroid {names} meanwhile. Look at it as it is now, then decide which of "
            "the two outlines is right.",
            frozenset(numbers),
        )


class StorageError(SpheroscopeError):
    """The disk or the database refuses."""

    code = "storage_error"
    may_pass = True


class DatabaseLocked(StorageError):
    """Another process holds the database file."""

    code = "database_locked"


class DatabaseOutOfMemory(StorageError):
    """A statement needs more memory than the database may use."""

    code = "database_out_of_memory"


class BlobMissing(StorageError):
    """A stored file is gone."""

    code = "blob_missing"
    may_pass = False


class BlobDamaged(StorageError):
    """A stored file does not match its checksum."""

    code = "blob_damaged"
    may_pass = False


class SegmentationError(SpheroscopeError):
    """An engine could not outline an image."""

    code = "segmentation_error"


class CrashedRepeatedly(SegmentationError):
    """The image ended the process as often as is allowed."""

    code = "crashed_repeatedly"

    @classmethod
    def after(cls, times: int) -> CrashedRepeatedly:
        """The error of an image that has ended the process ``times`` times."""
        return cls(
            f"This image ended the program {times} times and is not tried again. "
            "Look at the file, or try other settings."
        )


class DeadlinePassed(SegmentationError):
    """Segmenting it took longer than is allowed."""

    code = "deadline_passed"

    @classmethod
    def after(cls, seconds: float) -> DeadlinePassed:
        """The error of an image that was given up after ``seconds``."""
        return cls(
            f"Segmenting this image took longer than {seconds:g} seconds and was given up. "
            "Crop it, try the other engine, or raise JOB_DEADLINE_SECONDS."
        )


class WorkersUnavailable(SegmentationError):
    """The computers that segment cannot be reached, or run another version."""

    code = "workers_unavailable"
    may_pass = True


class ServiceClosed(SpheroscopeError):
    """A part that has been shut down was called."""

    code = "service_closed"
