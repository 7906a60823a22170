"""The channel options of servers and clients. gRPC ignores unknown names, so a test checks them."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_METADATA_BYTES = 8 * 1024

_BOTH = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),  # gRPC refuses some calls above this, and all calls above 16 KiB
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # limits keepalive too; the default is 60 s
    ("grpc.keepalive_permit_without_calls", 1),
)

SERVER_OPTIONS = (
    *_BOTH,
    ("grpc.so_reuseport", 0),  # otherwise two servers could share a port without an error
    ("grpc.max_concurrent_streams", 1000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),  # below the client's interval, or it is cut off
    ("grpc.max_connection_age_ms", 30_000),  # so that clients resolve names again and find new or moved replicas
    ("grpc.max_connection_age_grace_ms", 310_000),  # longer than the lifetime of a watch, so that no stream is cut
)

CLIENT_OPTIONS = (
    *_BOTH,
    ("grpc.enable_http_proxy", 0),  # otherwise calls within the mesh, even on loopback, use http_proxy
    ("grpc.keepalive_time_ms", 10_000),  # so that an unresponsive replica is removed within 20 s
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),  # 30 s by default; finds a moved service sooner
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),  # also the timeout of one connection attempt
    ("grpc.max_reconnect_backoff_ms", 2_000),  # so that a recovered service is used within seconds
)
