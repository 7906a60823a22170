"""`make verify PHASE=n`: tells a learner whether the system that runs does what a phase of the course promises."""
