"""Who is told what, and why: conditions, rules, alerts, routes, groups and notifications as decisions. Pure."""
