"""`streamhooks bench`: what a delivery costs on this machine, how long it takes, what a backlog weighs, what scales."""

from streamhooks.bench.plan import QUICK, SCALING, SECTIONS, Plan
from streamhooks.bench.report import Report
from streamhooks.bench.run import profile, run

__all__ = ["QUICK", "SCALING", "SECTIONS", "Plan", "Report", "profile", "run"]
