"""`make attack`: what an attacker would try, against a shop that runs, and what it answered."""
