"""How the steps of a workflow are done: one transaction or one outside call each, safe to run twice."""
