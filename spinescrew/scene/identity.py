"""Whose image this is, for the screen only: nothing that writes a file uses this."""

from __future__ import annotations

from typing import Any

import slicer


def identity_text(node: Any) -> str:
    """Patient, study date and name of an image in the scene, as its DICOM data tell; empty without an image.

    An image that did not come from DICOM has its own name only.
    """
    if node is None:
        return ""
    scene = node.GetScene()
    if scene is None:
        return str(node.GetName() or "")
    hierarchy: Any = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node)
    names = slicer.vtkMRMLSubjectHierarchyConstants
    parts = []
    if item:
        patient = hierarchy.GetItemAncestorAtLevel(item, names.GetDICOMLevelPatient())
        study = hierarchy.GetItemAncestorAtLevel(item, names.GetDICOMLevelStudy())
        if patient:
            given = hierarchy.GetItemAttribute(patient, names.GetDICOMPatientNameAttributeName())
            parts.append((given or hierarchy.GetItemName(patient)).replace("^", ", ").strip(", "))
            number = hierarchy.GetItemAttribute(patient, names.GetDICOMPatientIDAttributeName())
            parts.append(f"ID {number}" if number else "")
        if study:
            parts.append(_day(hierarchy.GetItemAttribute(study, names.GetDICOMStudyDateAttributeName())))
    parts.append(node.GetName() or "")
    return " · ".join(part for part in parts if part)


def _day(text: str) -> str:
    """``20240131`` as ``2024-01-31``; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text or "") == 8 and text.isdigit() else text or ""
