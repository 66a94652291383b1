"""What hands and keys do to masks, as masks to add and masks to remove."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.gui.widgets.image_view import ImageView
from app.pixels.boxes import Box
from app.project.images import CheckedImage, Region
from app.project.masks import Mask, MaskScope
from app.review.image_deciding import mask_for
from app.review.worklist import SeriesToReview, Stop


class MaskEditor(QObject):
    """The masks on the picture that is shown; the one with the handles is the view's ``chosen``."""

    changed = Signal(object, object)  # list[Mask] to add, list[Mask] to remove

    def __init__(self, view: ImageView) -> None:
        super().__init__(view)
        self._view = view
        self._review: SeriesToReview | None = None
        self._stop = Stop(0, 0)
        view.mask_drawn.connect(self.add)
        view.mask_changed.connect(self._change)
        view.found_taken.connect(lambda index: self.take([index]))

    def show_stop(self, review: SeriesToReview | None, stop: Stop = Stop(0, 0)) -> None:  # noqa: B008 - a frozen value
        """Edit the masks of another picture, or of the same one after a decision; None for none."""
        self._review, self._stop = review, stop

    @property
    def _image(self) -> CheckedImage:
        assert self._review is not None
        return self._review.series.images[self._stop.image]

    @property
    def masks(self) -> list[Mask]:
        """What was drawn on the picture."""
        if self._review is None:
            return []
        return [mask for mask in self._review.masks(self._image) if mask.box.frame in (None, self._stop.frame)]

    @property
    def regions(self) -> list[Region]:
        """What was found on the picture."""
        if self._review is None:
            return []
        return [region for region in self._image.regions if region.box.frame in (None, self._stop.frame)]

    @property
    def scopes(self) -> list[MaskScope]:
        """What a mask on it may be for."""
        scopes = list(MaskScope)
        if self._image.frames <= 1:
            scopes.remove(MaskScope.FRAME)
        if not self._image.original_device:
            scopes.remove(MaskScope.DEVICE)
        return scopes

    def add(self, box: Box) -> None:
        """A mask for the whole image, all its frames: too much covered can be taken back, too little is out."""
        if self._review is not None:
            self._emit([self._mask(box, MaskScope.INSTANCE)], [])

    def add_in_the_middle(self) -> None:
        """A mask for those who move and resize it by keys."""
        box = self._view.middle_box() if self._review is not None and self._view.is_editable else None
        if box is not None:
            self.add(box)
            self._view.setFocus()

    def choose_next(self) -> None:
        """Give the handles to the next mask."""
        count = len(self.masks)
        if count:
            self._view.choose((self._view.chosen + 1) % count)
            self._view.setFocus()

    def delete(self) -> None:
        """Delete the mask with the handles."""
        chosen = self._chosen()
        if chosen is not None:
            self._view.choose(-1)
            self._emit([], [chosen])

    def set_scope(self, scope: MaskScope) -> None:
        """Say what the mask with the handles is for."""
        chosen = self._chosen()
        if chosen is not None and scope in self.scopes and chosen.scope is not scope:
            self._emit([self._mask(chosen.box, scope)], [chosen])

    def take(self, rows: Sequence[int] | None = None) -> None:
        """Masks over places with text: over all of this image, or over some of ``regions``."""
        if self._review is None or not self._image.frames:
            return
        regions = list(self._image.regions) if rows is None else [self.regions[row] for row in rows if row >= 0]
        covered = [mask.box for mask in self._review.masks(self._image)]
        add: list[Mask] = []
        for region in regions:
            if not any(box.covers(region.box) for box in covered):
                scope = MaskScope.INSTANCE if region.box.frame is None else MaskScope.FRAME
                add.append(self._mask(region.box, scope, region.box.frame))
                covered.append(region.box)
        self._emit(add, [])

    def _chosen(self) -> Mask | None:
        self._view.settle()
        masks, index = self.masks, self._view.chosen
        return masks[index] if 0 <= index < len(masks) else None

    def _mask(self, box: Box, scope: MaskScope, frame: int | None = None) -> Mask:
        assert self._review is not None
        return mask_for(scope, box, self._image, self._review.series, self._stop.frame if frame is None else frame)

    def _change(self, index: int, box: Box) -> None:
        masks = self.masks
        if 0 <= index < len(masks):
            before = masks[index]
            self._emit([replace(before, box=replace(box, frame=before.box.frame))], [before])

    def _emit(self, add: list[Mask], remove: list[Mask]) -> None:
        if add == remove:
            return
        self.changed.emit(add, remove)
        # By now the page has shown the series with them: the handles go to what was added.
        masks = self.masks
        if add and add[-1] in masks:
            self._view.choose(masks.index(add[-1]))
