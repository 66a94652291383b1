"""The steps put together: what no step may know of another, a front end gets from here."""
