"""Look: the crops that were judged, whose attention lies on the films, outlines. A crop takes the view to its screw."""

import qt
from slicer.i18n import tr as _

from ScrewBrandIDLib.pictures import pixmapOf
from spinescrew.brands.models import KIND_WORDS
from spinescrew.reports.brand_lines import screw_lines
from spinescrew.reports.brand_views import crop_picture
from spinescrew.scene.brand_scene import NO_MODEL, attention_models

CROP = 112


class LookSection:
    """What is seen of the answer; the parameter node keeps opacity and outlines."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._showing = False
        self._models, self._lines, self._wanted = [], (), None
        ui = self.ui
        ui.modelBox.connect("currentIndexChanged(int)", self.onChoices)
        ui.opacitySlider.connect("valueChanged(double)", self.onChoices)
        ui.outlinesCheck.connect("toggled(bool)", self.onChoices)
        ui.wholeButton.connect("clicked(bool)", self.onWhole)
        crops = ui.cropsList
        crops.setViewMode(qt.QListView.IconMode)
        crops.setMovement(qt.QListView.Static)
        crops.setResizeMode(qt.QListView.Adjust)
        crops.setIconSize(qt.QSize(CROP, CROP))
        crops.setWordWrap(True)
        crops.connect("currentRowChanged(int)", self.onCrop)

    @property
    def model(self):
        """Whose attention is to be seen."""
        place = self.ui.modelBox.currentIndex
        return self._models[place] if 0 <= place < len(self._models) else NO_MODEL

    def refresh(self):
        """The crops and models of the answer; the choice of a model stays where it can."""
        found, ui = self.panel.found, self.ui
        self._showing = True
        try:
            self._lines = screw_lines(found.result) if found is not None else ()
            self._models = [NO_MODEL, *attention_models(found.result)] if found is not None else []
            ui.modelBox.clear()
            for model in self._models:
                ui.modelBox.addItem(KIND_WORDS[model] if model else _("none"))
            if self._models:
                wanted = self._wanted if self._wanted in self._models else self._models[-1]
                ui.modelBox.currentIndex = self._models.index(wanted)
            self._showCrops(found)
        finally:
            self._showing = False
        for widget in (ui.modelBox, ui.opacitySlider, ui.outlinesCheck, ui.wholeButton, ui.cropsList):
            widget.enabled = found is not None
        self.onChoices()

    def onChoices(self, *_unused):
        """As the boxes and the slider say."""
        shown, ui = self.panel.shown, self.ui
        if shown is not None and not self._showing:
            self._wanted = self.model
            shown.look(model=self.model, opacity=ui.opacitySlider.value, outlines=ui.outlinesCheck.checked)

    def onCrop(self, row):
        """The slice view goes to the screw whose crop is chosen."""
        shown = self.panel.shown
        if shown is not None and not self._showing and 0 <= row < len(self._lines):
            shown.look_at(self._lines[row].view, self._lines[row].number)

    def onWhole(self, *_unused):
        """The slice views stand on the whole films again."""
        if self.panel.shown is not None:
            self.panel.shown.look_at_images()

    def _showCrops(self, found):
        crops = self.ui.cropsList
        crops.clear()
        if found is None:
            return
        for line in self._lines:
            own = found.result.crops[line.view]
            place = [window.screw + 1 for window in own.windows].index(line.number)
            icon = qt.QIcon(pixmapOf(crop_picture(own, place), CROP, CROP))
            text = _("{view} {number}: {said}").format(
                view=KIND_WORDS[line.view], number=line.number, said=line.said or _("judged with the other view")
            )
            item = qt.QListWidgetItem(icon, text)
            item.setToolTip(text)
            crops.addItem(item)
