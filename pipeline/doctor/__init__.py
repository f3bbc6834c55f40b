"""Every precondition of a run, examined without changing anything: a module a concern."""
