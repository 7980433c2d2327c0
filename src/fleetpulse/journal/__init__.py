"""What must survive a crash: the known fleets, their events, what was decided of them and what is still to be told."""
