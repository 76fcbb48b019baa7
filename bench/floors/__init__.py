"""The floors a and b: what anyone would write without a framework, under the same uvicorn."""
