"""What a script calls: which system one or two radiographs show, without any window."""

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic


class ModuleLogic(ScriptedLoadableModuleLogic):
    """Which system one or two radiographs show, without any window."""

    def getParameterNode(self):
        """The choices of the panel, kept in the scene."""
        from ScrewBrandIDLib.parameters import ScrewBrandIDParameters

        return ScrewBrandIDParameters(ScriptedLoadableModuleLogic.getParameterNode(self))

    def identify(self, images, scene=None, progress=None):
        """Say which system of pedicle screws radiographs show, and show what was found on them.

        Parameters
        ----------
        images:
            Paths of one radiograph, or of two of one patient in any order (DICOM, PNG, JPEG, TIFF).
        scene:
            Slicer's own when left out.
        progress:
            ``spinescrew.progress.Progress``; its ``cancel()`` stops the work and leaves the scene as it was.

        Returns
        -------
        spinescrew.viewer.opened.Identified

        Raises
        ------
        spinescrew.errors.InputError
            One line that says what is wrong with an image, or which command trains the models where there are none.

        Examples
        --------
        >>> found = ScrewBrandIDLogic().identify(["AP.dcm", "LAT.dcm"])  # doctest: +SKIP
        >>> found.result.headline  # doctest: +SKIP
        'family C (93 %)'
        """
        import slicer

        from ScrewBrandIDLib.logic import identifyFiles

        return identifyFiles(scene if scene is not None else slicer.mrmlScene, images, progress)
