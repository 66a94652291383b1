"""De-identification: builds a new header out of what the rules let in.

``rules`` says what becomes of each attribute, ``values`` what an allowed value may look like, ``engine`` builds,
``objects`` holds back what rules can't make safe, ``release`` puts header and pixels together, ``step`` is the
*prepare* step over a whole project, ``worker`` its part in other processes.
"""
