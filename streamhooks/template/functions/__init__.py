"""What templates can call: Go's builtins, and further functions by subject."""
