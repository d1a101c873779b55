"""Parts of the Spine Planner module: logic.py knows MRML, widget.py knows Qt."""
