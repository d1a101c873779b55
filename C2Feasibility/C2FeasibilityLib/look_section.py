"""Look: attention on slices and bone, on and off; the slices along each pedicle."""

import slicer

SLICE_NODES = ("vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow", "vtkMRMLSliceNodeGreen")
ATTENTION_KEY = "A"


class LookSection:
    """What is seen of an assessment; the parameter node keeps the choices."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self.side = None
        ui = self.ui
        for box in (ui.attentionCheck, ui.surfaceCheck):
            box.connect("toggled(bool)", self.onChoices)
        for slider in (ui.opacitySlider, ui.thresholdSlider):
            slider.connect("valueChanged(double)", self.onChoices)
        ui.leftButton.connect("clicked(bool)", lambda *_unused: self.onSide("left"))
        ui.rightButton.connect("clicked(bool)", lambda *_unused: self.onSide("right"))
        ui.alongSlider.connect("valueChanged(double)", self.onAlong)

    def refresh(self):
        """Only what is shown can be looked at."""
        ready = self.panel.shown is not None
        ui = self.ui
        for widget in (ui.leftButton, ui.rightButton, ui.attentionCheck, ui.surfaceCheck):
            widget.enabled = ready
        for slider in (ui.opacitySlider, ui.thresholdSlider):
            slider.enabled = ready and ui.attentionCheck.checked
        ui.alongSlider.enabled = ready and self.side is not None
        ui.leftButton.checked, ui.rightButton.checked = self.side == "left", self.side == "right"

    def onChoices(self, *_unused):
        """As the boxes and sliders say."""
        shown, ui = self.panel.shown, self.ui
        if shown is not None:
            shown.set_threshold(ui.thresholdSlider.value)
            shown.set_surface(ui.surfaceCheck.checked)
            shown.set_opacity(ui.opacitySlider.value)
            shown.show_attention(ui.attentionCheck.checked)
        self.refresh()

    def onSide(self, side):
        """The slices along this pedicle, and its screw in hand."""
        self.side = side
        self.ui.alongSlider.value = 0.0
        self.onAlong()
        self.panel.screw.take(side)
        self.refresh()

    def onAlong(self, *_unused):
        """The slice across the pedicle so far ahead of its isthmus."""
        nodes = [slicer.mrmlScene.GetNodeByID(name) for name in SLICE_NODES]
        if self.panel.shown is not None and self.side is not None and all(node is not None for node in nodes):
            self.panel.shown.look_at(self.side, nodes, self.ui.alongSlider.value)
