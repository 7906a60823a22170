-- An import adds and updates but never deletes. Without this step, a route or key removed from the files would keep
-- working. Credentials are deleted with their consumers. Sessions reference none of these tables, so they are kept, and
-- they stay valid because consumers are imported with the same ids. A running Kong serves from its cache until it
-- restarts.
TRUNCATE services, routes, plugins, consumers, upstreams CASCADE;
