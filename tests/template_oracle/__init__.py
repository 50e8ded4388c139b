"""The real Go beside our engine: for differential fuzzing and for the benchmark."""
