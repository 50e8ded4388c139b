"""`streamhooks bench`: what a delivery costs on this machine, how long it takes, and what a backlog weighs."""

from streamhooks.bench.plan import QUICK, SECTIONS, Plan
from streamhooks.bench.report import Report
from streamhooks.bench.run import profile, run

__all__ = ["QUICK", "SECTIONS", "Plan", "Report", "profile", "run"]
