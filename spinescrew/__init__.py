"""SpineScrew: pedicle-screw planning and grading, usable from any Python.

Every quantity is in millimetres, degrees, seconds or Hounsfield units; every point is in patient RAS.
"""

__version__ = "0.1.0"
