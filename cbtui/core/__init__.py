"""Plain data and rules, standard library only. Everything else in cbtui builds on this."""
