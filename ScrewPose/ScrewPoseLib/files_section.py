"""Radiographs: two images and their geometry, dropped or browsed for."""

from slicer.i18n import tr as _
from SpinePlannerLib.drop_area import DropArea

from ScrewPoseLib import logic
from spinescrew.cohort.pose_open import target_of


class FilesSection:
    """Which files; the panel asks for them when Run is pressed."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        ui = self.ui
        self.dropArea = DropArea(_("Drop two radiographs and their geometry file here"), self.take)
        ui.filesSection.layout().insertRow(0, self.dropArea)
        self.images, self.geometry = (ui.firstPath, ui.secondPath), ui.geometryPath
        for path in (*self.images, self.geometry):
            path.connect("currentPathChanged(QString)", panel.refreshInputs)
        ui.swapButton.connect("clicked(bool)", self.onSwap)

    @property
    def target(self):
        """What is to be solved."""
        images = [path.currentPath for path in self.images]
        return target_of(images, self.geometry.currentPath, self.ui.sizesEdit.text)

    @property
    def complete(self):
        """Whether every file is named."""
        return all(path.currentPath.strip() for path in (*self.images, self.geometry))

    def refresh(self):
        """Nothing changes while a job runs."""
        free = not self.panel.busy
        for widget in (*self.images, self.geometry, self.ui.sizesEdit, self.ui.swapButton, self.dropArea):
            widget.enabled = free

    def take(self, paths):
        """Files that were dropped: two images fill both places, one the first that is empty."""
        images, geometry = logic.sortDropped(paths)
        if geometry is not None:
            self.geometry.currentPath = geometry
        if len(images) >= 2:
            self.choose(images[:2])
        elif images:
            place = next((path for path in self.images if not path.currentPath.strip()), self.images[1])
            place.currentPath = images[0]

    def choose(self, images, geometry=None):
        """These files."""
        for path, chosen in zip(self.images, images, strict=True):
            path.currentPath = str(chosen)
        if geometry is not None:
            self.geometry.currentPath = str(geometry)

    def onSwap(self, *_unused):
        """First and second image the other way round; the geometry stays."""
        self.choose([self.images[1].currentPath, self.images[0].currentPath])
