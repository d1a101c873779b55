"""What a script calls: poses of the screws in two radiographs, without any window."""

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic


class ModuleLogic(ScriptedLoadableModuleLogic):
    """Poses of the screws in two radiographs, without any window."""

    def getParameterNode(self):
        """The choices of the panel, kept in the scene."""
        from ScrewPoseLib.parameters import ScrewPoseParameters

        return ScrewPoseParameters(ScriptedLoadableModuleLogic.getParameterNode(self))

    def solve(self, images, geometry, sizes=None, scene=None, progress=None):
        """Find the screws in two radiographs, and show where they stand.

        Parameters
        ----------
        images:
            Paths of two radiographs (DICOM, PNG, JPEG, TIFF).
        geometry:
            Path of the calibration file of both, in the same order.
        sizes:
            (diameter, length) in mm of each screw by number, or one for all; measured when left out.
        scene:
            Slicer's own when left out.
        progress:
            ``spinescrew.progress.Progress``; its ``cancel()`` stops the work and leaves the scene as it was.

        Returns
        -------
        spinescrew.viewer.opened.Posed

        Raises
        ------
        spinescrew.errors.InputError
            One line that says what is wrong with images or geometry, or that no screws were found.

        Examples
        --------
        >>> posed = ScrewPoseLogic().solve(["AP.dcm", "LAT.dcm"], "geometry.json")  # doctest: +SKIP
        >>> posed.result.screws[0].screw.tip  # doctest: +SKIP
        array([ 8.1, 21.4, -3.0])
        """
        import slicer

        from ScrewPoseLib.logic import solveFiles

        return solveFiles(scene if scene is not None else slicer.mrmlScene, images, geometry, sizes, progress)
