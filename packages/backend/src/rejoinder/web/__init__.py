"""HTTP: the REST interface, health, and the files of the demo page."""
