"""The organisers' file: what a project takes, how it is de-identified, who signs.

``schema`` says what may stand in it, ``load`` reads it and says where it is wrong. The language of a
selection lives here too (``predicates``, ``where``), so that a protocol with a query that nobody understands
does not load; finding what a query asks for is the business of ``app.selection``.
"""
