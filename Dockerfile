FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /opt/build && python -m venv /opt/debrief
RUN /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt
RUN /opt/debrief/bin/pip install --require-hashes --only-binary :all: -r requirements/run.txt

COPY pyproject.toml LICENSE README.md ./
COPY bot bot
COPY storage storage
COPY templates templates
COPY migrations migrations
RUN /opt/build/bin/hatchling build --target wheel --directory /wheel
RUN /opt/debrief/bin/pip install --no-index --no-deps /wheel/*.whl && /opt/debrief/bin/pip uninstall --yes --quiet pip


FROM python:3.13-slim
# Only /data and /tmp are written to: the rest may be mounted read-only.
RUN install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/debrief /opt/debrief
ENV PATH=/opt/debrief/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp DEBRIEF_DATA_DIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 3000
USER 10001:10001
STOPSIGNAL SIGTERM
# http.client, because urllib would ask a proxy for its own loopback.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import http.client, os, sys; bot = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('DEBRIEF_PORT', '3000')), timeout=3); bot.request('GET', '/healthz'); sys.exit(bot.getresponse().status != 200)"]
# `run` brings the schema up to date itself before it listens.
ENTRYPOINT ["debrief"]
CMD ["run"]
