"""The whole story, with images and certificates of nobody."""
