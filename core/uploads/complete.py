"""Files whose bytes have all arrived: where they lie, and whether they are as long as was said."""

from __future__ import annotations

from core.errors import InvalidRequest
from core.files.blobs import Blobs, Incoming
from core.models import Upload


def complete_file(blobs: Blobs, upload: Upload) -> Incoming | None:
    """Return the file of an upload, which may have been stored already; None where its bytes have been lost.

    Raises:
        StorageError: the disk refuses.
    """
    part = blobs.uploads / upload.id
    stored = () if upload.sha256 is None else (blobs.path(upload.sha256),)
    for path in (part, *stored):
        if not path.is_file():
            continue
        incoming = blobs.adopt(path)
        if upload.sha256 in (None, incoming.sha256):
            return incoming
    part.unlink(missing_ok=True)  # a power cut has lost some of it
    return None


def check_length(upload: Upload, incoming: Incoming) -> None:
    """Delete a file that has another number of bytes than was said.

    Raises:
        InvalidRequest: it has.
    """
    if upload.n_bytes not in (None, incoming.n_bytes):
        incoming.path.unlink(missing_ok=True)
        raise InvalidRequest(
            f"This file was said to have {upload.n_bytes:,} bytes and has {incoming.n_bytes:,}. "
            "Send it again."
        )
