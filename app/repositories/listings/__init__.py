"""Lists of what is for sale: pages, facets, suggestions and what is related, all made of `app.models.listings`.

PostgreSQL builds the JSON; no entity is loaded. A statement is built once for each combination of sort and filters
and kept, because building one costs more than running it. How often each value occurs decides between a walk along
the index of the sort and a look into those of the filters: these statements are planned with their parameters
(`plan_cache_mode` in app/database.py), and that is why all that they filter by stands in one table.
"""
