"""Looks at what would leave as a whole, before anybody signs: what no single value or image shows.

Patients in two groups, attributes that give the label away, people who stand alone with what is released of them,
values that few have, and volumes that a face can be rebuilt from. What is found is stored for the sign-off, which waits
until a person has decided on it.
"""
