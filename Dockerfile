# The bot and nothing else: no shell is needed to run it, `signalbox doctor` says what is missing around it.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release -p bot --bin signalbox && cp target/release/signalbox /signalbox

FROM debian:bookworm-slim
# The roots by which AWS, Slack and GitHub are trusted come from the system.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/signalbox --create-home signalbox
COPY --from=build /signalbox /usr/local/bin/signalbox
COPY manifest.yml /usr/share/signalbox/manifest.yml
USER 10001
WORKDIR /var/lib/signalbox
# The embedded store, when no REDIS_URL is given.
VOLUME /var/lib/signalbox
ENV LISTEN=0.0.0.0:8080 SIGNALBOX_CONFIG=/etc/signalbox SIGNALBOX_DATA=/var/lib/signalbox/signalbox.redb
EXPOSE 8080
ENTRYPOINT ["signalbox"]
CMD ["serve"]
