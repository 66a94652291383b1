"""How work is done: executors run functions elsewhere, the pump keeps them busy and survives their deaths."""
