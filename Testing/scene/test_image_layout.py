"""Views arranged for two images, and given back."""

import numpy as np
import pytest
import slicer

from spinescrew.scene import image_layout

BOX = np.array([-50.0, 50.0, -30.0, 30.0, -100.0, 100.0])


def test_a_scene_without_views_is_left_alone(scene):
    assert image_layout.arrange(scene) is None
    image_layout.give_back(scene, None)
    image_layout.look_at_box(scene, BOX)


def test_an_arrangement_chosen_since_is_kept(scene):
    node = slicer.vtkMRMLLayoutNode()
    scene.AddNode(node)
    before = image_layout.arrange(scene)
    assert node.GetViewArrangement() == image_layout.LAYOUT
    assert image_layout.arrange(scene) == image_layout.LAYOUT
    node.SetViewArrangement(before)
    image_layout.give_back(scene, image_layout.LAYOUT)
    assert node.GetViewArrangement() == before


@pytest.mark.parametrize("shape", [0.5, 1.0, 1.8])
def test_the_whole_box_is_in_view_from_behind(scene, shape):
    camera = slicer.vtkMRMLCameraNode()
    scene.AddNode(camera)
    image_layout.look_at_box(scene, BOX, shape)
    position, focus = np.array(camera.GetPosition()), np.array(camera.GetFocalPoint())
    assert position[1] < -100 and position[0] < 0
    np.testing.assert_allclose(focus, 0.0, atol=1e-9)
    tall = 2 * np.tan(np.radians(camera.GetViewAngle() / 2)) * np.linalg.norm(position - focus)
    assert min(tall, tall * shape) > np.linalg.norm([100, 60, 200]) * 0.95
