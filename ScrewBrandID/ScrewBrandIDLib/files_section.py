"""Radiographs: one image, or two of one patient, dropped or browsed for."""

from slicer.i18n import tr as _
from SpinePlannerLib.drop_area import DropArea


class FilesSection:
    """Which files; the panel asks for them when Run is pressed."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        ui = self.ui
        self.dropArea = DropArea(_("Drop one or two radiographs of a patient here, in any order"), self.take)
        ui.filesSection.layout().insertRow(0, self.dropArea)
        self.paths = (ui.firstPath, ui.secondPath)
        for path in self.paths:
            path.connect("currentPathChanged(QString)", panel.refreshInputs)
        ui.clearButton.connect("clicked(bool)", lambda *_unused: self.choose([]))

    @property
    def images(self):
        """The files named."""
        return [path.currentPath.strip() for path in self.paths if path.currentPath.strip()]

    def refresh(self):
        """Nothing changes while a job runs."""
        free = not self.panel.busy
        for widget in (*self.paths, self.dropArea, self.ui.clearButton):
            widget.enabled = free

    def take(self, paths):
        """Files that were dropped: two fill both places, one the first that is empty."""
        images = sorted(str(path) for path in paths)
        if len(images) >= 2:
            self.choose(images[:2])
            if len(images) > 2:
                self.panel.tell(_("One or two radiographs are judged; the first two were taken."), True)
        elif images:
            place = next((path for path in self.paths if not path.currentPath.strip()), self.paths[1])
            place.currentPath = images[0]

    def choose(self, images):
        """These files and no others."""
        chosen = [*map(str, images), "", ""]
        for path, name in zip(self.paths, chosen, strict=False):
            path.currentPath = name
