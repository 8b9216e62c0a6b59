"""REST: a table of typed endpoints, problem documents, API keys, OpenAPI. Start with README.md."""
