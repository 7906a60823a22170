"""`make doctor`: looks at the machine and at everything that runs, and says what is amiss and how to mend it."""
