"""What must hold always, searched by hypothesis."""
