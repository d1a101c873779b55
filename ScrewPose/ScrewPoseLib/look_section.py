"""Look: segmentation and outlines on the images, beams and images in 3D, where the views look."""

import slicer

from spinescrew.scene import image_layout


class LookSection:
    """What is seen of the poses; the parameter node keeps the choices."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        ui = self.ui
        self._switches = (ui.outlinesCheck, ui.beamsCheck, ui.detectorsCheck, ui.plannedCheck)
        for box in self._switches:
            box.connect("toggled(bool)", self.onChoices)
        ui.overlaySlider.connect("valueChanged(double)", self.onChoices)
        ui.imagesButton.connect("clicked(bool)", self.onImages)
        ui.screwsViewButton.connect("clicked(bool)", lambda *_unused: self.lookAt(everything=False))
        ui.roomViewButton.connect("clicked(bool)", lambda *_unused: self.lookAt(everything=True))

    def refresh(self):
        """Only what is shown can be looked at."""
        ready, ui = self.panel.shown is not None, self.ui
        for widget in (*self._switches, ui.overlaySlider, ui.imagesButton, ui.screwsViewButton, ui.roomViewButton):
            widget.enabled = ready

    def onChoices(self, *_unused):
        """As the boxes and the slider say."""
        shown, ui = self.panel.shown, self.ui
        if shown is not None:
            shown.look(
                overlay=ui.overlaySlider.value,
                outlines=ui.outlinesCheck.checked,
                beams=ui.beamsCheck.checked,
                detectors=ui.detectorsCheck.checked,
                planned=ui.plannedCheck.checked,
            )

    def onImages(self, *_unused):
        """The slice views stand on the images again."""
        if self.panel.shown is not None:
            self.panel.shown.look_at_images()

    def lookAt(self, everything):
        """The 3D view at the screws, or at sources and detectors too."""
        if self.panel.shown is not None:
            image_layout.look_at_box(slicer.mrmlScene, self.panel.shown.box(everything))
