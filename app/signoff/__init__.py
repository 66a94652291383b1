"""Who has to sign, who has signed what, and whether a release may go: the gate between review and bundle."""
