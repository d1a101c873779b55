"""A plan in a MRML scene: the one place that knows both. The scene is always passed in; there is no window here."""
