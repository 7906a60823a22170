-- An import adds and changes, and never removes: without this a route or a key that was taken out of the files would
-- go on working. Credentials go with their consumers. Sessions refer to none of these tables and stay; consumers come
-- back under the same ids, so they stay valid too. A running Kong serves from its cache until it is started again.
TRUNCATE services, routes, plugins, consumers, upstreams CASCADE;
