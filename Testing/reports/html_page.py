"""What a reader sees of an HTML report."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "path", "rect"}


class Page(HTMLParser):
    """Visible words, pictures and ids; fails where tags do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.images, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.images += [values["src"]] if tag == "img" else []
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).replace("\u202f", " ").replace("\u00a0", " ").split())


def without_pictures(text):
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)
