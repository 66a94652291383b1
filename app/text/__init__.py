"""What people read: a code and its ids become one sentence. The command line and the window share it."""
