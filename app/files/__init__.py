"""Files as such: where one lies (perhaps inside archives), how one is written whole, where the shipped ones
are.
"""
