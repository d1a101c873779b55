"""What a script calls: planning of volume nodes, without any window."""

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic


class ModuleLogic(ScriptedLoadableModuleLogic):
    """Planning of volume nodes, without any window."""

    def getParameterNode(self):
        """The choices of the panel, kept in the scene."""
        from SpinePlannerLib.parameters import SpinePlannerParameters

        return SpinePlannerParameters(ScriptedLoadableModuleLogic.getParameterNode(self))

    def planVolume(self, volumeNode, labelNode, levels=None, trajectory="straight-forward", scene=None, progress=None):
        """Plan the screws of a CT and put them into the scene.

        Parameters
        ----------
        volumeNode:
            The CT (vtkMRMLScalarVolumeNode), or None to plan on the vertebrae alone.
        labelNode:
            Segmentation whose segments are named by level, or a label volume (VerSe or TotalSegmentator).
        levels:
            For example ``"L1-S1"``; all from T1 to S1 when left out.
        trajectory:
            ``"straight-forward"`` or ``"anatomic"``.
        scene:
            That of ``labelNode`` when left out.
        progress:
            ``spinescrew.progress.Progress``; its ``cancel()`` stops the work and leaves the scene as it was.

        Returns
        -------
        spinescrew.planning.plan.Plan

        Raises
        ------
        spinescrew.errors.InputError
            One line that says what is wrong and what to do.

        Examples
        --------
        >>> plan = SpinePlannerLogic().planVolume(getNode("CT"), getNode("Vertebrae"), "L3-S1")  # doctest: +SKIP
        """
        from SpinePlannerLib.logic import planNodes

        scene = scene if scene is not None else labelNode.GetScene()
        return planNodes(scene, volumeNode, labelNode, levels, trajectory, progress)
