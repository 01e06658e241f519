"""What a correction is made from: an image's pixels, and the version that is corrected."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from core import images
from core.corrections.measuring import TOGETHER_PX, boxes_px
from core.corrections.regions import Region, labels_of, regions_of
from core.errors import InvalidRequest
from core.files.blobs import Blobs
from core.images import label_png, rendering
from core.images.memory import overlay_bytes
from core.models import Image, Limits, Raster, Spheroid, Version
from core.queue.admission import Admission
from core.segmentation import SegmentationParams
from core.segmentation.engines.click_network import Picture
from core.segmentation.grayscale import Pixels, grey
from core.segmentation.measurement.quality import quality
from core.segmentation.outlines.boundaries import find
from core.store import Store
from core.store.results import Result

MAX_PIXEL_BYTES = 64 * 2**20  # of the images whose pixels stay in memory between gestures
MAX_IMAGES = 32  # whose pixels stay decoded, in memory or in a file
DRAWN = "drawn"  # engine of an image on which no engine has run


class CorrectionSource:
    """Reads images and versions; the pixels of a few images stay in memory. Safe from any thread."""

    def __init__(self, store: Store, blobs: Blobs, limits: Limits, admission: Admission) -> None:
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._admission = admission
        self._pixels: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = threading.Lock()  # of the pixels; held for moments only

    def admitted(self, image: Image) -> AbstractContextManager[None]:
        """Hold the memory that decoding an image and its label image takes; raises AppBusy."""
        return self._admission.hold(overlay_bytes(image), image.name)

    def room_to_measure(self, image: Image, regions: Iterable[Region]) -> AbstractContextManager[None]:
        """Hold the memory that measuring objects of large boxes takes; none for small ones."""
        return self.admitted(image) if boxes_px(regions) > TOGETHER_PX else nullcontext()

    def version(self, version_id: str | None) -> Version | None:
        """The version of this id; None of None."""
        return None if version_id is None else self._store.results.version(version_id)

    def regions(self, image: Image, version_id: str | None) -> dict[int, Region]:
        """The objects of a version of an image; none of None.

        Raises:
            StorageError: its label image cannot be read.
            InvalidRequest: it is of another size than the image.
        """
        version = self.version(version_id)
        if version is None:
            return {}
        with self.admitted(image):
            labels = label_png.decode(self._blobs.get(version.labels_sha256))
            if labels.shape != (image.height, image.width):
                raise InvalidRequest("The outlines of this image are of another size. Segment it again.")
            return regions_of(labels)

    def spheroids(self, image: Image, version: Version | None) -> dict[int, Spheroid]:
        """The measured spheroids of a version of an image, by number."""
        if version is None:
            return {}
        result = self._store.results.get(replace(image, version_id=version.id))
        return {} if result is None else {item.number: item for item in result[1]}

    def picture(self, image: Image, version_id: str | None) -> Picture:
        """The pixels of an image and the polarity that a version was made with."""
        version = self.version(version_id)
        params = SegmentationParams.from_dict(version.params if version else {})
        return Picture(self.pixels(image, version_id), params.polarity)

    def pixels(self, image: Image, version_id: str | None) -> Pixels:
        """The grey pixels (Y, X) that the objects of a version are measured in."""
        with self._lock:
            pixels = self._pixels.get(image.id)
        if pixels is None:
            with self.admitted(image):
                version = self.version(version_id)
                params = SegmentationParams.from_dict(version.params if version else {})
                pixels = self._in_file_if_large(grey(self.raster(image).pixels, params.channel))
            with self._lock:
                self._pixels[image.id] = pixels
                while len(self._pixels) > 1 and self._exceeds_budget():
                    self._pixels.popitem(last=False)
        return pixels

    def _exceeds_budget(self) -> bool:
        in_memory = sum(item.nbytes for item in self._pixels.values() if not isinstance(item, np.memmap))
        return in_memory > MAX_PIXEL_BYTES or len(self._pixels) > MAX_IMAGES

    def _in_file_if_large(self, pixels: Pixels) -> Pixels:
        """Pixels that need not be decoded for each gesture: those too large for memory in a file.

        Where the disk is full they stay in memory, for the last image alone.
        """
        if pixels.nbytes <= MAX_PIXEL_BYTES:
            return pixels
        try:
            with self._blobs.unnamed_file() as file:
                pixels.tofile(
                    file
                )  # written before it is mapped: a mapped page that finds no room ends the app
                file.flush()
                return np.memmap(file, pixels.dtype, "r", shape=pixels.shape)
        except OSError:
            return pixels

    def raster(self, image: Image) -> Raster:
        """The decoded page of an image."""
        return images.decode(self._blobs.path_of(image.sha256), image.page, self._limits)

    def result(
        self,
        image: Image,
        parent: Version | None,
        objects: Mapping[int, Region],
        spheroids: Sequence[Spheroid],
    ) -> Result:
        """Store the files of a corrected version; return it as a result. Numbers are those of the objects."""
        ordered = tuple(sorted(spheroids, key=lambda item: item.number))
        labels = labels_of(objects, (image.height, image.width))
        return Result(
            engine=parent.engine if parent else DRAWN,
            engine_version=parent.engine_version if parent else "",
            params=parent.params if parent else {},
            spheroids=ordered,
            labels_sha256=self._blobs.put(label_png.encode(labels)),
            thumbnail_sha256=self._blobs.put(rendering.thumbnail(self.raster(image), ordered)),
            timings_ms={},
            quality=quality(labels, find(labels), self.pixels(image, parent.id if parent else None)),
            maps_sha256=parent.maps_sha256 if parent else None,
        )

    def forget(self, image_id: str) -> None:
        """Keep the pixels of an image no longer."""
        with self._lock:
            self._pixels.pop(image_id, None)
