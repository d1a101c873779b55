"""What a script calls: judging C2 in volume nodes, without any window."""

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic


class ModuleLogic(ScriptedLoadableModuleLogic):
    """Judging C2 in volume nodes, without any window."""

    def getParameterNode(self):
        """The choices of the panel, kept in the scene."""
        from C2FeasibilityLib.parameters import C2FeasibilityParameters

        return C2FeasibilityParameters(ScriptedLoadableModuleLogic.getParameterNode(self))

    def assessVolume(self, volumeNode, progress=None):
        """Judge and measure both C2 pedicles of a CT, and show the answer in its scene.

        Parameters
        ----------
        volumeNode:
            CT of the neck (vtkMRMLScalarVolumeNode).
        progress:
            ``spinescrew.progress.Progress``; its ``cancel()`` stops the work and leaves the scene as it was.

        Returns
        -------
        spinescrew.feasibility.assessment.C2Assessment

        Raises
        ------
        spinescrew.errors.InputError
            One line that says why this CT cannot be judged: no whole C2 in it, metal, a missing model.

        Examples
        --------
        >>> found = C2FeasibilityLogic().assessVolume(getNode("CT"))  # doctest: +SKIP
        >>> found.sides["left"].probability  # doctest: +SKIP
        0.97
        """
        from C2FeasibilityLib.logic import assessNode

        return assessNode(volumeNode, progress)
