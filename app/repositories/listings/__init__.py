"""Lists of what is for sale: pages, facets, suggestions and what is related, all made of `app.models.listings`.

PostgreSQL builds the JSON; no entity is loaded. A statement is built once for each combination of sort and filters
and kept, because building one costs more than running it.
"""
