"""What the console counts and shows. A page is its route's pattern: no label holds what a browser sends."""

from typing import Final

from fleet import metrics

STATUSES: Final = ("200", "303", "403", "404", "422", "500", "other")
NO_PAGE: Final = "none"  # an address that is no page of ours, and files

REQUESTS: Final = metrics.counter(
    "console_requests_total", "Pages and forms answered", {"page": metrics.UNKNOWN, "status": metrics.UNKNOWN}
)
REQUEST_SECONDS: Final = metrics.histogram(
    "console_request_seconds",
    "Time from a request to its answer, by page",
    {"page": metrics.UNKNOWN},
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
SIGN_INS_REFUSED: Final = metrics.counter(
    "console_sign_ins_refused_total", "Sign-ins that led to no session", {"way": ("local", "oidc")}
)
STATEMENTS: Final = metrics.counter("console_statements_issued_total", "Statements issued by the timer")
STATEMENTS_OVERDUE: Final = metrics.gauge(
    "console_statements_overdue_seconds", "For how long the statements of a month are due and not all issued"
)
SESSIONS: Final = metrics.gauge("console_sessions", "Sessions that live")
WAITING: Final = metrics.gauge(
    "console_decisions_waiting", "Decisions that people asked for and no service has answered"
)
OLDEST_WAITING: Final = metrics.gauge(
    "console_oldest_decision_seconds", "How long the oldest decision has waited for its answer"
)
