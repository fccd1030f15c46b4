"""A small bank in six services, shaped after MARA's demo application: same routes, forms, cookies and health endpoints."""
