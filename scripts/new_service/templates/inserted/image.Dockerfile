FROM runtime AS @name@-svc
LABEL org.opencontainers.image.title="Taskmesh @name@-svc" \
      org.opencontainers.image.description="The @name@ service, over gRPC"
COPY --from=@name@-build /opt/taskmesh /opt/taskmesh
COPY --from=@name@-build /app /app
EXPOSE @grpc_port@ @metrics_port@
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["python", "-m", "chassis.probe", "grpc://127.0.0.1:@grpc_port@"]
CMD ["python", "-m", "@name@_svc"]
