"""How a step of a release fails."""


class ReleaseError(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(f"{message}: {way_out}")
