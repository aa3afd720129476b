"""Generate: pictures for the scenes of a library."""
