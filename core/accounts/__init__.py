"""Who may use the app, and what of it: accounts, sessions, API tokens, members of projects, and the audit.

``Access`` says who is there; the tables of ``policy`` say what that allows; ``caller`` hands a page or a
route the parts of the app as one principal may use them. With AUTH=none nobody is asked.
"""

from __future__ import annotations

from core.accounts.access import Access, SignedIn
from core.accounts.principal import LOCAL, Level, Principal, Role, Scope
from core.accounts.rules import AccessMode, AccessRules, check_address

__all__ = [
    "LOCAL",
    "Access",
    "AccessMode",
    "AccessRules",
    "Level",
    "Principal",
    "Role",
    "Scope",
    "SignedIn",
    "check_address",
]
