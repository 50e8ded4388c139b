"""Other consumers of the same stream, to set streamhooks beside, and the tests of what measures."""
