"""Grey pictures of the library as Qt shows them."""

import qt

from spinescrew.reports.brand_views import grey_png


def pixmapOf(picture, width, height):
    """A picture (rows, columns) from 0 to 1, as large as it fits into so many pixels."""
    pixmap = qt.QPixmap()
    pixmap.loadFromData(qt.QByteArray(grey_png(picture)))
    return pixmap.scaled(width, height, qt.Qt.KeepAspectRatio, qt.Qt.SmoothTransformation)
