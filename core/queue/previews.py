"""Segmentation of one image for a person who tries settings: nothing is kept.

It takes the same memory and processor as a job, so it asks the same admission and takes one of the same CPU
slots; and it has a deadline, after which the person gets an answer though the thread still runs.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from core import images
from core.errors import AppBusy
from core.files.blobs import Blobs
from core.images.memory import segmenting_bytes
from core.models import Image, Segmentation
from core.queue.resources import ComputeResources
from core.segmentation import Engine, EngineOutput, SegmentationParams, delineate, predict
from core.store import Recipe, Store

MAX_THREADS = 2  # further previews wait; each is within the admission besides


class Previews:
    """Segments images by any recipe, in threads of its own. Safe from any thread."""

    def __init__(
        self, store: Store, blobs: Blobs, resources: ComputeResources, deadline_seconds: float
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._resources = resources
        self._deadline_seconds = deadline_seconds
        self._threads = ThreadPoolExecutor(MAX_THREADS, "preview")
        self._unfinished: set[Future[Segmentation]] = set()

    def segment(self, image: Image, recipe: Recipe) -> Segmentation:
        """Segment one image by a recipe.

        Where the engine would predict what it predicted for the result in force, its stored maps are used.

        Raises:
            ImageError, StorageError: its file cannot be read.
            InvalidRequest: there is no such engine.
            SegmentationError: the engine could not outline it.
            AppBusy: there was no memory for it, or it was not done, within the time allowed.
        """
        future = self._threads.submit(self._segment, image, recipe)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        try:
            return future.result(self._deadline_seconds)
        except TimeoutError as error:
            future.cancel()
            raise AppBusy(
                f"This preview was not ready after {self._deadline_seconds:g} seconds. Try again when fewer "
                "images are being segmented, or raise PREVIEW_DEADLINE_SECONDS."
            ) from error

    def close(self) -> bool:
        """Begin no more previews; those that run are not waited for. Return whether none runs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        return not self._unfinished

    def _segment(self, image: Image, recipe: Recipe) -> Segmentation:
        resources = self._resources
        engine = resources.engines.get(recipe.engine)
        memory = resources.admission.hold(segmenting_bytes(image), image.name)
        with memory, resources.cpu_slots.hold():
            raster = images.decode(self._blobs.path_of(image.sha256), image.page, resources.limits)
            params = SegmentationParams.from_dict(recipe.params)
            output = self._stored_output(image, engine, params) or predict(raster.pixels, params, engine)
            return delineate(raster.pixels, output, params)

    def _stored_output(self, image: Image, engine: Engine, params: SegmentationParams) -> EngineOutput | None:
        """What the engine predicted for the result in force, if it would predict the same now."""
        stored = self._store.results.segmentation(image)
        if stored is None or stored.maps_sha256 is None:
            return None
        stored_params = SegmentationParams.from_dict(stored.params)
        same = (stored.engine, stored.engine_version) == (engine.name, engine.version)
        if not (same and params.predicts_like(stored_params)):
            return None
        return EngineOutput.unpack(self._blobs.get(stored.maps_sha256), engine, stored_params)
