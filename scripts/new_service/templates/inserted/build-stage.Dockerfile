FROM packages AS @name@-build
COPY @name@_svc/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt && \
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taskmesh/lib
COPY chassis chassis
COPY gen/@name@ @name@
COPY @name@_svc @name@_svc
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .
