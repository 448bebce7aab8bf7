# Waybill as an image: built from the lock file alone, run as a user without rights on a read-only program.
#   docker build -t waybill:local .
#   docker run --rm waybill:local --help
ARG NODE=node:20.20.2-bookworm-slim

FROM ${NODE} AS build
WORKDIR /src
# Dependencies change seldom: a layer of their own.
COPY package.json package-lock.json .npmrc ./
COPY scripts ./scripts
RUN node scripts/bootstrap.js install
COPY . .
RUN node scripts/bootstrap.js build \
  && npm prune --omit=dev \
  # Tests, benches and the package stack are no part of the product; times of files would differ in every build.
  && rm -rf dist/test dist/bench dist/deploy/stack \
  && find dist -name '*.test.*' -delete \
  && find dist -name '*.tsbuildinfo' -delete \
  && find dist node_modules bin package.json -exec touch -h -d @0 {} +

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
RUN ln -s /app/bin/waybill.js /usr/local/bin/waybill && mkdir /data && chown node:node /data
USER node
VOLUME /data
ENV WAYBILL_DATA_DIR=/data
# glibc keeps an arena of freed memory for each thread: with two, the process stays some 50 MB smaller.
ENV MALLOC_ARENA_MAX=2
EXPOSE 4929
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/waybill.js"]
CMD ["--help"]
