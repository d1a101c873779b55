"""A probability as a gauge: the bar, how sure it is, and the line where the answer turns."""

import qt

from spinescrew.reports.c2_report import VERDICT_COLOURS

WIDTH, HEIGHT = 210, 46
_MARGIN, _TOP, _BAR = 8, 6, 18
_GROUND, _INK, _PAPER = "#E6E8EB", "#1B222B", "#FFFFFF"


def paint(label, found, threshold):
    """Draw one side's probability into a QLabel; an empty gauge where ``found`` is None."""
    pixmap = qt.QPixmap(WIDTH, HEIGHT)
    pixmap.fill(qt.QColor(0, 0, 0, 0))
    painter = qt.QPainter(pixmap)
    painter.fillRect(_MARGIN, _TOP, _long(1.0), _BAR, qt.QColor(_GROUND))
    if found is not None:
        painter.fillRect(_MARGIN, _TOP, _long(found.probability), _BAR, qt.QColor(VERDICT_COLOURS[found.verdict]))
        _interval(painter, found)
    _scale(painter, threshold)
    painter.end()
    label.setPixmap(pixmap)


def _long(share):
    return round(share * (WIDTH - 2 * _MARGIN))


def _interval(painter, found):
    """From the lowest to the highest answer, white under black so that it is seen on any bar."""
    middle = _TOP + _BAR // 2
    low, high = _MARGIN + _long(found.low), _MARGIN + _long(found.high)
    for colour, thick in ((_PAPER, 2), (_INK, 1)):
        painter.fillRect(low, middle - thick, max(high - low, 1), 2 * thick, qt.QColor(colour))
        for end in (low, high):
            painter.fillRect(end - thick, middle - 3 - thick, 2 * thick, 6 + 2 * thick, qt.QColor(colour))


def _scale(painter, threshold):
    """The threshold as a line through the bar, and what the ends mean."""
    at = _MARGIN + _long(threshold)
    painter.fillRect(at - 1, _TOP - 4, 2, _BAR + 8, qt.QColor(_INK))
    font = qt.QFont()
    font.setPixelSize(10)
    painter.setFont(font)
    painter.setPen(qt.QColor("#5A6470"))
    under = _TOP + _BAR + 16
    for share, text, shift in ((0.0, "0", 0), (threshold, f"{100 * threshold:.0f}", -6), (1.0, "100 %", -30)):
        painter.drawText(_MARGIN + _long(share) + shift, under, text)
