"""What would stop this machine from rendering, and the fix for each."""

from cbtui.host.doctor.check import Check, Status, problems_in
from cbtui.host.doctor.examination import examine

__all__ = ["Check", "Status", "examine", "problems_in"]
