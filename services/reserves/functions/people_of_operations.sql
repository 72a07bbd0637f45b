-- What operations sees of the reserve (hobbs_operations, fleet/logins.py): what must stay, why the gate is closed, who opened
-- it, and alerts, which it acknowledges.
GRANT SELECT ON reserves_public.reserve, reserves_public.alerts, reserves_public.openings, reserves_public.policies,
    reserves_public.school TO hobbs_operations;
