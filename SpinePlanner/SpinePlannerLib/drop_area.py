"""A place to drop files on."""

import qt


class DropArea(qt.QLabel):
    """Says what may be dropped on it; ``onPaths(paths)`` hears of files."""

    def __init__(self, text, onPaths):
        qt.QLabel.__init__(self)
        self._onPaths = onPaths
        self.setText(text)
        self.setAlignment(qt.Qt.AlignCenter)
        self.setWordWrap(True)
        self.setStyleSheet("border: 1px dashed #8A8F98; border-radius: 4px; padding: 10px")
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event):
        """Files only."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event):
        """Take them."""
        self._onPaths([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()
