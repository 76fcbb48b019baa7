"""`make fuzz`: Schemathesis sends whatever the OpenAPI document allows, and what it does not, to a shop that runs."""
