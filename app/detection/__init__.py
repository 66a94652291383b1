"""The step ``detect``: looks at the pixels of every selected image and leaves what it found, by instance.

Reads nothing of the other steps; what becomes of an image is decided in ``app.project.images``.
"""
