"""The step that says what is wrong with a series, from headers alone: each check by name, with what the protocol makes
of it.

``series`` reads the catalogue; ``slices`` judges positions along the normal; ``contents`` what attributes say of the
series; ``body_parts`` and ``phases`` weigh the evidence of codes, descriptions and contrast elements (``words``). No
pixel is looked at, and nothing is decided here: ``app.selection`` leaves out what the protocol excludes.
"""
