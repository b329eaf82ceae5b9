"""`make bench`: Baton against a floor, on the fake Slack. The system under test is a process of its own; the fake
Slack, the load generator and the shoppers' streams are this one."""
