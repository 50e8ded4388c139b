"""The template language: Go's text/template, with what a value turns into chosen by an escape mode.

Stages, each with a value that prints: lexer -> tokens, parser -> trees, escape -> trees, then one of two ways to run
them, walker (exact) or compiler (fast, gives up to the walker). Rendering is pure: no clock, no randomness, no I/O,
and data are only ever looked up by key.
"""

from streamhooks.errors import TemplateError
from streamhooks.template.front import Template

__all__ = ["Template", "TemplateError"]
