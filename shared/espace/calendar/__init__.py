"""The one deadline function of the house, and the reasons behind every date it gives.

Law is data: a :class:`Rule` says how to count, :func:`deadline` counts and explains. Page, API, mail and
PDF show the same words.
"""

from espace.calendar.days import HOLIDAY_SETS, holiday_name, is_working_day, next_working_day
from espace.calendar.deadline import Deadline, Reason, deadline, local_date, start_of_day
from espace.calendar.rule import Rule, RuleError

__all__ = [
    "HOLIDAY_SETS",
    "Deadline",
    "Reason",
    "Rule",
    "RuleError",
    "deadline",
    "holiday_name",
    "is_working_day",
    "local_date",
    "next_working_day",
    "start_of_day",
]
