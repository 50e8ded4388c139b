# One image for `serve` and every other command. Two stages: the first has pip and the sources, the second what runs.
# Every package comes by its hash (requirements/), as a wheel: nothing is compiled here.
#
#   docker build -t streamhooks .
#   docker run --rm --read-only -v ./config:/etc/streamhooks:ro streamhooks check
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/build.txt requirements/image.txt requirements/
# The environment has the place here that it has below: a virtual environment names its own folder in its scripts.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt \
    && python -m venv /opt/streamhooks \
    && /opt/streamhooks/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/image.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY templates templates
COPY streamhooks streamhooks
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /src/dist . \
    && /opt/streamhooks/bin/pip install --quiet --no-deps --no-index dist/*.whl \
    && /opt/streamhooks/bin/pip uninstall --quiet --yes pip setuptools \
    && python -m compileall -q /opt/streamhooks

FROM ${PYTHON}
LABEL org.opencontainers.image.title="streamhooks" \
      org.opencontainers.image.description="Gateway events from a Redis stream to webhooks" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/streamhooks /opt/streamhooks
WORKDIR /etc/streamhooks
ENV PATH=/opt/streamhooks/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, not a name: `runAsNonRoot` cannot look names up.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["streamhooks"]
CMD ["serve"]
