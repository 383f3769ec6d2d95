"""Elasticsearch and OpenSearch: the client, what is put there, and what makes it ours."""
