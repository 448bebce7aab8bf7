/**
 * The versions of the services that the stack is made of. docker-compose.yml pins the same ones where an image and a
 * package of a version both exist; `deploy/compose.test.ts` holds the two together.
 */
export const versions = {
  kafka: '4.4.0',
  /** Newest whose connect-* jars are on Maven Central. */
  connect: '4.3.1',
  /** Newest whose MariaDB connector is on Maven Central. */
  debezium: '3.5.0.Final',
  apicurio: '3.3.3',
  /** The runner's own number is that of OpenSearch with one more digit. */
  opensearch: '3.8.0',
  log4j: '2.25.4',
} as const
