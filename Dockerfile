# syntax=docker/dockerfile:1
# The project on a CPU: fetching, building, asking a served model, scoring, cards, and the demo.
#
#   docker build --tag ldrt-vlm .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/data" ldrt-vlm demo --output demo
FROM python:3.13-slim-bookworm AS environment
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_CACHE_DIR=/var/cache/uv VIRTUAL_ENV=/opt/ldrt
RUN uv venv /opt/ldrt
WORKDIR /source
# What the project needs, in a layer that is made anew only when these files change.
COPY constraints.txt pyproject.toml setup.cfg ./
RUN --mount=type=cache,target=/var/cache/uv \
    uv pip install --constraint constraints.txt --torch-backend cpu --requirement setup.cfg
COPY . .
RUN --mount=type=cache,target=/var/cache/uv uv pip install --no-deps .

FROM python:3.13-slim-bookworm
RUN useradd --create-home --uid 1000 ldrt
COPY --from=environment /opt/ldrt /opt/ldrt
# Caches lie beside the data: kept between runs, and writable for whatever user --user names.
ENV PATH=/opt/ldrt/bin:$PATH HF_HOME=/data/.cache/huggingface MPLCONFIGDIR=/tmp/matplotlib
USER 1000
WORKDIR /data
ENTRYPOINT ["ldrt"]
CMD ["--help"]
